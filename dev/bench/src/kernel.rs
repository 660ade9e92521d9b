//! What the kernel says of processes: CPU time and memory.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use color_eyre::eyre::{OptionExt as _, Result, WrapErr as _};
use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};

/// The CPU time of this process so far in seconds, all threads that ever were included.
pub(crate) fn own_cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

/// The CPU time of a process so far in seconds, to a hundredth, children not included.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    Ok(ticks(Stat::read(pid)?.own))
}

/// The CPU time of a process, of its children, and theirs, those that have ended included, in seconds.
pub(crate) fn tree_cpu(pid: u32) -> Result<f64> {
    let mut total = 0;
    for pid in tree(pid)? {
        // One that has ended meanwhile is its parent's.
        if let Ok(stat) = Stat::read(pid) {
            total += stat.own + stat.children;
        }
    }
    Ok(ticks(total))
}

/// The most memory that a process ever had, in KiB.
pub(crate) fn peak_kib(pid: u32) -> Result<f64> {
    status(pid, "VmHWM:")
}

/// A number of `/proc/PID/status`.
fn status(pid: u32, key: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .wrap_err_with(|| format!("read the memory of process {pid}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_eyre(format!("process {pid} has no {key}"))
}

/// A process, its children and theirs.
fn tree(root: u32) -> Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").wrap_err("read /proc")? {
        let name = entry.wrap_err("read /proc")?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::read(pid).ok()?))) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

/// What `/proc/PID/stat` says.
struct Stat {
    /// The parent.
    parent: u32,
    /// CPU time of its own, in ticks.
    own: u64,
    /// CPU time of children that have ended, in ticks.
    children: u64,
}

impl Stat {
    /// Reads it.
    fn read(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))
            .wrap_err_with(|| format!("read the CPU time of process {pid}"))?;
        Self::parse(&text).ok_or_eyre(format!("/proc/{pid}/stat is not as proc(5) has it"))
    }

    /// The name, in brackets, may have anything in it; what follows is numbers from the third field on.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<_> = rest.split(' ').collect();
        let number = |field: usize| {
            fields
                .get(field.checked_sub(3)?)?
                .trim()
                .parse::<u64>()
                .ok()
        };
        Some(Self {
            parent: u32::try_from(number(4)?).ok()?,
            own: number(14)? + number(15)?,
            children: number(16)? + number(17)?,
        })
    }
}

/// Ticks as seconds.
fn ticks(count: u64) -> f64 {
    let micros = count * 1_000_000 / clock_ticks_per_second().max(1);
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_stepped_over() {
        let stat =
            Stat::parse("7 (a) b) (c) S 5 7 7 0 -1 4194304 1 2 0 0 30 4 200 1 20 0 1 0 9 1 2 3")
                .unwrap();
        assert_eq!((stat.parent, stat.own, stat.children), (5, 34, 201));
    }

    #[test]
    fn a_process_has_used_time_and_memory() {
        let pid = std::process::id();
        let before = own_cpu();
        while own_cpu() < before + 0.03 {}
        assert!(cpu(pid).unwrap() + 0.02 > before);
        assert!(tree_cpu(pid).unwrap() + 0.02 > before);
        assert!(peak_kib(pid).unwrap() > 100.0);
    }
}
