//! How many files and sockets this process may have open, and what they are for.
//!
//! The usual soft limit of 1,024 is one for old programs that keep numbers of descriptors in sets of bits; the
//! hard limit is what the administrator means. Some are kept for webmon's own connections: without them a process
//! that probes a lot could neither record nor be asked how it is.
//!
//! Programs that are started inherit the limit. The only one is `PostgreSQL`, under `webmon up`: it has a limit of
//! its own, `max_files_per_process`, and takes no more than that.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::telemetry::MOST_CONNECTIONS;

/// What `PostgreSQL`, Kafka, DNS, logs and the runtime have open, at most.
const OWN: u64 = 64;
/// The least that is left for probes, whatever the limit is.
const LEAST: u64 = 32;

/// Raises the soft limit to the hard one; where that is refused it stays as it is.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // what does not fit is said by those that need it
    let _refused = setrlimit(Resource::Nofile, raised);
}

/// How many this process may have open; `None` where nothing limits it.
pub fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many probes may have open of so many, when webmon's own are kept.
pub fn for_probes(limit: u64) -> u64 {
    limit.saturating_sub(kept()).max(LEAST)
}

/// How many are needed for probes that have so many open.
pub fn needed(probes: u64) -> u64 {
    probes.saturating_add(kept())
}

/// How many are kept for webmon's own connections.
fn kept() -> u64 {
    OWN + u64::try_from(MOST_CONNECTIONS).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_leave_some_and_have_some() {
        for (limit, probes) in [(0, 32), (100, 32), (128, 32), (256, 160), (1_024, 928)] {
            assert_eq!(for_probes(limit), probes, "{limit}");
        }
        assert_eq!(for_probes(needed(2_048)), 2_048);
        assert_eq!(for_probes(u64::MAX), u64::MAX - 96);
    }
}
