//! Pace: how many shards a turn takes, and when those of a failed turn are tried again.
//!
//! Pure bookkeeping; time is an argument. A turn that is too big shrinks until it fits, but not one that is
//! long because `PostgreSQL` takes long to answer: it would be as long with fewer shards. A shard that cannot
//! be scheduled is tried alone, so that it holds up no other.

use std::{
    collections::BTreeMap,
    slice,
    time::{Duration, Instant},
};

use contract::SHARDS;

/// How many shards the first turn takes.
const FIRST: usize = 8;
/// A turn that takes less than so many times as long as its claim is short, however slow `PostgreSQL` is: a claim
/// waits for three answers, a turn for twelve, even if there is nothing to schedule.
const CLAIMS: u32 = 6;
/// The pause after a shard's first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the next turn may take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// One shard whose last turn failed, alone.
    Retry(i16),
    /// Shards whose last turn did not fail.
    Healthy {
        /// Shards that may be taken.
        candidates: Vec<i16>,
        /// How many at most.
        most: usize,
    },
}

impl Take {
    /// Shards that may be taken.
    pub(crate) fn candidates(&self) -> &[i16] {
        match self {
            Self::Retry(shard) => slice::from_ref(shard),
            Self::Healthy { candidates, .. } => candidates,
        }
    }

    /// How many at most.
    pub(crate) const fn most(&self) -> usize {
        match self {
            Self::Retry(_) => 1,
            Self::Healthy { most, .. } => *most,
        }
    }
}

/// Remembers how the turns went.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The time between two turns.
    turn: Duration,
    /// How many shards a turn takes.
    most: usize,
    /// How long the last claim took.
    claim: Duration,
    /// Shards whose last turn failed.
    failed: BTreeMap<i16, Retry>,
    /// Shards that are in a turn of this scheduler now.
    busy: Vec<i16>,
}

/// When a shard is tried again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    /// Not before.
    at: Instant,
    /// The pause after the next failure.
    pause: Duration,
}

impl Pace {
    /// A pace for turns every `turn`.
    pub(crate) fn new(turn: Duration) -> Self {
        Self {
            turn,
            most: FIRST,
            claim: Duration::ZERO,
            failed: BTreeMap::new(),
            busy: Vec::new(),
        }
    }

    /// What a turn that starts now may take: one failed shard whose pause is over, or healthy ones.
    pub(crate) fn next(&self, now: Instant) -> Take {
        let retry = self
            .failed
            .iter()
            .filter(|(shard, retry)| retry.at <= now && !self.busy.contains(shard))
            .min_by_key(|(_, retry)| retry.at);
        match retry {
            Some((shard, _)) => Take::Retry(*shard),
            None => Take::Healthy {
                candidates: (0..SHARDS)
                    .filter(|shard| !self.failed.contains_key(shard))
                    .collect(),
                most: self.most,
            },
        }
    }

    /// When the next failed shard is to be tried, if any is waiting.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        let waiting = self
            .failed
            .iter()
            .filter(|(shard, _)| !self.busy.contains(shard));
        waiting.map(|(_, retry)| retry.at).min()
    }

    /// A turn took these shards, and so long to do that.
    pub(crate) fn started(&mut self, shards: &[i16], claim: Duration) {
        self.claim = claim;
        self.busy.extend_from_slice(shards);
    }

    /// A failed shard was not there to be taken: another scheduler has it, and it is well.
    pub(crate) fn gone(&mut self, shard: i16) {
        self.failed.remove(&shard);
    }

    /// A turn over these shards went well and took this long.
    pub(crate) fn succeeded(&mut self, shards: &[i16], took: Duration, now: Instant) {
        self.ended(shards);
        let retried = shards
            .iter()
            .any(|shard| self.failed.remove(shard).is_some());
        if retried {
            // What broke the turns is over: the shards that still wait need not wait any longer.
            for retry in self.failed.values_mut() {
                retry.at = retry.at.min(now);
            }
        } else if took < (self.turn / 10).max(self.claim * CLAIMS) {
            self.most = (self.most * 2).min(usize::from(SHARDS.unsigned_abs()));
        } else if took > self.turn {
            self.most = (self.most / 2).max(1);
        }
    }

    /// A turn over these shards failed.
    pub(crate) fn failed(&mut self, shards: &[i16], now: Instant) {
        self.ended(shards);
        for shard in shards {
            let pause = self
                .failed
                .get(shard)
                .map_or(FIRST_PAUSE, |retry| retry.pause);
            let next = Retry {
                at: now + pause,
                pause: (pause * 2).min(LONGEST_PAUSE),
            };
            self.failed.insert(*shard, next);
        }
    }

    /// These shards are free again.
    fn ended(&mut self, shards: &[i16]) {
        self.busy.retain(|shard| !shards.contains(shard));
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
