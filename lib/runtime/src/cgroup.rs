//! What this process's control group allows: the limits that a container has.

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";
/// The first version writes "no limit" as a number that no machine has.
const NO_LIMIT: u64 = 1 << 60;

/// The most memory that this process may take, in bytes; `None` where nothing limits it.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limit_under(Path::new(MOUNT), &groups)
}

/// The lowest limit of the groups that a process is in, and of those around them.
fn limit_under(mount: &Path, groups: &str) -> Option<u64> {
    let files = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let (root, file) = match controllers {
            "" => (mount.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (mount.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some((root, path.trim_start_matches('/').to_owned(), file))
    });
    let limits = files.flat_map(|(root, path, file)| {
        // inside a container the path may be one of the host's, and the container's group the root
        around(&root, Path::new(&path)).filter_map(move |group| read_limit(&group.join(file)))
    });
    limits.min()
}

/// A group and those around it.
fn around<'a>(root: &'a Path, group: &'a Path) -> impl Iterator<Item = PathBuf> + use<> {
    let groups: Vec<PathBuf> = group.ancestors().map(|group| root.join(group)).collect();
    groups.into_iter()
}

/// The limit in a file, if it is one.
fn read_limit(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let limit = text.trim().parse().ok()?;
    (limit < NO_LIMIT).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit that a process in `groups` finds where `files` are.
    fn limit(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        let mount = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        limit_under(mount.path(), groups)
    }

    #[test]
    fn the_lowest_limit_around_a_process_counts() {
        let none = "9223372036854771712\n";
        for (groups, files, expected) in [
            (
                "0::/\n",
                vec![("memory.max", "536870912\n")],
                Some(536_870_912),
            ),
            ("0::/\n", vec![("memory.max", "max\n")], None),
            (
                "0::/a/b\n",
                vec![("a/memory.max", "7\n"), ("a/b/memory.max", "9\n")],
                Some(7),
            ),
            (
                "4:memory:/a\n0::/\n",
                vec![
                    ("memory/a/memory.limit_in_bytes", "5\n"),
                    ("memory/memory.limit_in_bytes", none),
                ],
                Some(5),
            ),
            (
                "4:cpu,memory:/docker/1\n",
                vec![("memory/memory.limit_in_bytes", "6\n")],
                Some(6),
            ),
            (
                "4:memory:/\n",
                vec![("memory/memory.limit_in_bytes", none)],
                None,
            ),
            (
                "3:cpu:/\n",
                vec![("memory/memory.limit_in_bytes", "5\n")],
                None,
            ),
            ("", vec![], None),
        ] {
            assert_eq!(limit(groups, &files), expected, "{groups}");
        }
    }
}
