//! The most memory that a checker may take, whatever sites, servers and tasks there are: the sum of all bounds.
//!
//! Each bound stands beside what it bounds. Here they are added up, said, and held against the limit of the
//! control group, as a checker that is killed is started again into the same.

use std::fmt;

use runtime::cgroup;
use stream::subscription;
use tracing::{info, warn};

use crate::{config::Config, hold, lanes};

/// What a checker takes that has nothing to do, in bytes: the program, the runtime, connections, metrics, and what
/// the allocator cannot give back.
const BASE_BYTES: u64 = 32 << 20;
/// A mebibyte.
const MIB: u64 = 1 << 20;

/// The most memory that a checker may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What it is the sum of, by name, in bytes.
    pub parts: Vec<(&'static str, u64)>,
    /// What the control group allows, in bytes, if it has a limit.
    pub limit: Option<u64>,
}

impl Bound {
    /// That of a checker which is configured so, in this process's control group.
    pub fn of(config: &Config) -> Self {
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let own = [
            ("base", BASE_BYTES),
            (
                "slots",
                bytes(config.settings.slots.saturating_mul(lanes::SLOT_BYTES)),
            ),
            (
                "hold",
                bytes(hold::MOST_BYTES + subscription::MOST_READ_BYTES),
            ),
            ("results", bytes(recorder::BYTES)),
            ("kafka", bytes(subscription::MEMORY_BYTES)),
        ];
        Self {
            parts: own
                .into_iter()
                .chain(probe::shared_memory(&config.settings.probe))
                .collect(),
            limit: cgroup::memory_limit(),
        }
    }

    /// The sum, in bytes.
    pub fn bytes(&self) -> u64 {
        self.parts
            .iter()
            .map(|(_, bytes)| bytes)
            .fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }

    /// What is wrong with it and what would be right, if it is more than is allowed.
    pub fn fault(&self) -> Option<String> {
        let (bytes, limit) = (self.bytes(), self.limit?);
        (bytes > limit).then(|| {
            format!(
                "this checker may take {} MiB of memory, and its control group allows {} MiB: lower `slots` or \
                 `body_memory`, or raise the limit, or it may be killed",
                mib(bytes),
                limit / MIB
            )
        })
    }

    /// Says it in the log.
    pub(crate) fn say(&self) {
        info!(
            memory.bound_mib = mib(self.bytes()),
            memory.limit_mib = self.limit.map(|limit| limit / MIB),
            memory.parts = self.parts().as_str(),
            "memory is bounded"
        );
        if let Some(fault) = self.fault() {
            warn!("{fault}");
        }
    }

    /// The parts in MiB, for people.
    fn parts(&self) -> String {
        let parts = self
            .parts
            .iter()
            .map(|(name, bytes)| format!("{name} {}", mib(*bytes)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "memory: at most {} MiB ({})",
            mib(self.bytes()),
            self.parts()
        )?;
        match self.limit {
            Some(limit) => write!(f, "; the control group allows {} MiB", limit / MIB),
            None => Ok(()),
        }
    }
}

/// Whole mebibytes, rounded up.
fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_beyond_the_limit_is_said_with_the_remedy() {
        let bound = |limit| Bound {
            parts: vec![("base", 32 * MIB), ("slots", 100 * MIB + 1)],
            limit,
        };
        for fits in [None, Some(132 * MIB + 1)] {
            assert_eq!(bound(fits).fault(), None);
        }
        assert_eq!(
            bound(Some(132 * MIB)).fault().unwrap(),
            "this checker may take 133 MiB of memory, and its control group allows 132 MiB: lower `slots` or \
             `body_memory`, or raise the limit, or it may be killed"
        );
        assert_eq!(
            bound(Some(200 * MIB)).to_string(),
            "memory: at most 133 MiB (base 32, slots 101); the control group allows 200 MiB"
        );
    }
}
