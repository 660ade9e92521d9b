//! Failing shards: the shards whose turns fail, since when, and why.
//!
//! A cause is said when it first appears. What goes on failing is said again after pauses that double: a shard that
//! stands still must not be forgotten, and must not fill the log. A shard has recovered when its own turn has succeeded;
//! the turns of other shards, which may have had nothing to do, prove nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use runtime::quota::Quota;

/// How many different causes are said at once; more would be one cause that is worded anew.
const MOST_CAUSES: usize = 8;
/// The pause before what goes on failing is said again.
const FIRST_REMINDER: Duration = Duration::from_mins(1);
/// The longest such pause.
const LONGEST_REMINDER: Duration = Duration::from_hours(1);
/// How many shards a line names.
const MOST_NAMED: usize = 8;

/// Why a turn failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// In words.
    pub(crate) text: String,
    /// Whether Kafka did not take a task.
    pub(crate) of_kafka: bool,
}

/// A shard whose turns fail.
#[derive(Debug)]
struct Failing {
    /// When the first of them failed.
    since: Instant,
    /// How many have failed.
    failures: u32,
    /// Why the last one did.
    cause: Cause,
}

/// The shards whose turns fail.
#[derive(Debug, Default)]
pub(crate) struct FailingShards {
    /// By shard.
    shards: BTreeMap<i16, Failing>,
    /// The causes that were said since all was well.
    said: BTreeSet<String>,
    /// When it is said again, and the pause after that.
    reminder: Option<(Instant, Duration)>,
    /// Whether Kafka still has to show that it takes tasks.
    unproven: bool,
    /// How much may be said.
    quota: Quota,
}

impl FailingShards {
    /// A turn over these shards failed.
    pub(crate) fn failed(&mut self, shards: &[i16], cause: &Cause, now: Instant) {
        for shard in shards {
            let failing = self.shards.entry(*shard).or_insert_with(|| Failing {
                since: now,
                failures: 0,
                cause: cause.clone(),
            });
            failing.failures += 1;
            failing.cause.clone_from(cause);
        }
        self.unproven |= cause.of_kafka;
        let (_, pause) = *self
            .reminder
            .get_or_insert((now + FIRST_REMINDER, FIRST_REMINDER));
        if self.said.contains(&cause.text) || self.said.len() == MOST_CAUSES {
            return;
        }
        let said = self.quota.say(|left_out| {
            let (cause, shards) = (&cause.text, named(shards));
            tracing::warn!(
                cause,
                turn.shards = shards,
                left_out,
                "a turn failed, its shards are tried again"
            );
        });
        if said {
            self.said.insert(cause.text.clone());
            self.reminder = Some((now + pause, pause));
        }
    }

    /// A turn over these shards succeeded, in which Kafka took so many tasks. Returns whether it was said that
    /// all is well.
    pub(crate) fn succeeded(&mut self, shards: &[i16], tasks: usize) -> bool {
        self.unproven &= tasks == 0;
        self.recovered(shards)
    }

    /// Turns of this scheduler over these shards do not fail any more. Returns whether it was said that all is well.
    pub(crate) fn recovered(&mut self, shards: &[i16]) -> bool {
        if !self.shards.is_empty() {
            self.shards.retain(|shard, _| !shards.contains(shard));
        }
        if !self.shards.is_empty() || self.unproven {
            return false;
        }
        self.reminder = None;
        let said = !self.said.is_empty();
        if said {
            self.said.clear();
            tracing::info!("all turns succeed again");
        }
        said
    }

    /// Says again what goes on failing, if it is time. Returns whether it was.
    pub(crate) fn remind(&mut self, now: Instant) -> bool {
        let (Some((at, pause)), Some((shard, failing))) = (self.reminder, self.longest()) else {
            return false;
        };
        if now < at {
            return false;
        }
        let (cause, failures) = (&failing.cause.text, failing.failures);
        let seconds = (now - failing.since).as_secs();
        let shards = named(&self.shards.keys().copied().collect::<Vec<_>>());
        tracing::warn!(
            cause,
            turn.shards = shards,
            turn.longest = shard,
            turn.failures = failures,
            turn.failing_s = seconds,
            "turns go on failing, these shards stand still"
        );
        let pause = (pause * 2).min(LONGEST_REMINDER);
        self.reminder = Some((now + pause, pause));
        true
    }

    /// The shard whose turns have failed longest, and the cause.
    pub(crate) fn worst(&self) -> Option<(i16, &Cause)> {
        let (shard, failing) = self.longest()?;
        Some((shard, &failing.cause))
    }

    /// Why Kafka does not take tasks, if it does not.
    pub(crate) fn of_kafka(&self) -> Option<&str> {
        let causes = self.shards.values().map(|failing| &failing.cause);
        let mut of_kafka = causes.filter(|cause| cause.of_kafka);
        of_kafka.next().map(|cause| cause.text.as_str())
    }

    /// The shard whose turns have failed longest.
    fn longest(&self) -> Option<(i16, &Failing)> {
        let shards = self.shards.iter();
        let longest = shards.min_by_key(|(_, failing)| failing.since);
        longest.map(|(shard, failing)| (*shard, failing))
    }
}

/// Some shards as a log line names them.
pub(crate) fn named(shards: &[i16]) -> String {
    let named: Vec<_> = shards.iter().take(MOST_NAMED).map(i16::to_string).collect();
    let more = shards.len().saturating_sub(MOST_NAMED);
    let named = named.join(", ");
    if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    }
}

#[cfg(test)]
#[path = "failing_shards_tests.rs"]
mod tests;
