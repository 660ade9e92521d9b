//! A control group with a limit of memory, as a container has one.
//!
//! Made beside the test's own group, below it, so that limits around the test hold for it too. It takes root, and
//! a machine whose groups may be changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::show;

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";
/// A mebibyte.
const MIB: u64 = 1 << 20;

/// A control group with a limit of memory; it goes with this, when no process is in it any more.
#[derive(Debug)]
pub struct MemoryGroup {
    /// Its folder.
    folder: PathBuf,
    /// How its files are called.
    files: Files,
}

/// How the files of a group are called.
#[derive(Clone, Copy, Debug)]
struct Files {
    /// The limit, in bytes.
    limit: &'static str,
    /// The most that there was, in bytes.
    peak: &'static str,
    /// How many processes were killed for it, as `oom_kill COUNT`.
    kills: &'static str,
}

/// The first version's.
const V1: Files = Files {
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
    kills: "memory.oom_control",
};
/// The second version's.
const V2: Files = Files {
    limit: "memory.max",
    peak: "memory.peak",
    kills: "memory.events",
};

impl MemoryGroup {
    /// A group that may have so much memory. Where this machine gives none that is said, loudly: the test has to
    /// measure by itself.
    pub fn with_limit(bytes: u64) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("webmon-test-{}-{number}", std::process::id());
        let made = own_groups().into_iter().find_map(|(group, files)| {
            let folder = group.join(&name);
            fs::create_dir(&folder).ok()?;
            let group = Self { folder, files };
            fs::write(group.folder.join(files.limit), bytes.to_string()).ok()?;
            Some(group)
        });
        if made.is_none() {
            show(
                "THIS MACHINE GIVES NO CONTROL GROUP WITH A LIMIT OF MEMORY: only measured instead",
            );
        }
        made
    }

    /// A command that runs in this group from its first moment on.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]);
        command.arg(self.folder.join("cgroup.procs"));
        command
    }

    /// The most memory that its processes had together, in MiB; what the kernel keeps for them counts too.
    pub fn peak_mib(&self) -> u64 {
        self.number(self.files.peak, "").unwrap_or(0) / MIB
    }

    /// How many processes the kernel has killed, as there was no memory.
    pub fn kills(&self) -> u64 {
        self.number(self.files.kills, "oom_kill ").unwrap_or(0)
    }

    /// The number after `name` at the beginning of a line of a file.
    fn number(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        let numbers = text.lines().filter_map(|line| line.strip_prefix(name));
        numbers
            .into_iter()
            .find_map(|number| number.trim().parse().ok())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // a group whose last process has just ended may still be in use for a moment, and is empty then
        drop(fs::remove_dir(&self.folder));
    }
}

/// The groups for memory that this process is in.
fn own_groups() -> Vec<(PathBuf, Files)> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = own.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|name| name == "memory") {
            return Some((Path::new(MOUNT).join("memory").join(path), V1));
        }
        controllers
            .is_empty()
            .then(|| (Path::new(MOUNT).join(path), V2))
    });
    groups.collect()
}
