//! How many slots have their sockets, as far as this process's limit of open files goes: some are kept for
//! webmon's own connections.
//!
//! No more slots are used than have their sockets, as a check that waits for a slot is better than one that
//! cannot connect. A host with many addresses takes more than its share, so the probe counts each socket too.

use runtime::descriptors;

use crate::config::LANE_THREADS;

/// The sockets of a check at once: a question each for two families of addresses, or two that race.
const PER_SLOT: u64 = 2;

/// How many of so many slots have their sockets: whole lanes, and one at least.
pub fn slots_that_fit(slots: usize) -> usize {
    descriptors::limit().map_or(slots, |limit| fitting(slots, limit))
}

/// What is wrong with so many slots and what would be right, if they do not have their sockets.
pub fn fault(slots: usize) -> Option<String> {
    let limit = descriptors::limit()?;
    let fit = fitting(slots, limit);
    let wanted = u64::try_from(slots)
        .unwrap_or(u64::MAX)
        .saturating_mul(PER_SLOT);
    (fit < slots).then(|| {
        format!(
            "`slots` is {slots}, but this process may open {limit} files only, so that {fit} checks are made at once: \
             lower `slots`, or allow {} open files (systemd: LimitNOFILE, a shell: ulimit -n, compose: ulimits.nofile)",
            descriptors::needed(wanted)
        )
    })
}

/// How many of so many slots have their sockets where so many files may be open.
fn fitting(slots: usize, limit: u64) -> usize {
    let fit = descriptors::for_probes(limit) / PER_SLOT;
    let fit = usize::try_from(fit).unwrap_or(usize::MAX);
    slots.min((fit / LANE_THREADS * LANE_THREADS).max(LANE_THREADS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_lanes_are_used_as_have_their_sockets() {
        for (slots, limit, fit) in [
            (1_024, 4_096, 1_024),
            (1_024, 2_144, 1_024),
            (1_024, 2_143, 992),
            (1_024, 1_024, 448),
            (1_024, 256, 64),
            (1_024, 128, 32),
            (32, 10, 32),
            (65_536, u64::MAX, 65_536),
        ] {
            assert_eq!(fitting(slots, limit), fit, "{slots} of {limit}");
        }
    }
}
