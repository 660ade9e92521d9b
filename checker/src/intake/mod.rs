//! Intake: one thread reads tasks into the hold.
//!
//! It owns the [subscription](stream::subscription), and never stops polling, so that the group never rebalances
//! because a site or the database is slow: when there is no room the partitions are paused.

mod sort;
mod takeover;
mod task_reader;

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use recorder::{Repeats, SUSPICIOUS_MS};
use runtime::{clock::Clock, quota::Quota};
use stream::subscription::{Subscription, TAKEOVER_TIME};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::info;

use self::{sort::Sorted, takeover::Takeover};
pub(crate) use self::{sort::Sorter, takeover::time_at_the_end, task_reader::TaskReader};
use crate::{
    held::Results,
    hold::{self, Hold},
    metrics::Metrics,
};

/// Reads tasks; see the module.
pub(crate) struct Intake {
    /// Where tasks come from.
    subscription: Subscription,
    /// Says what becomes of each message.
    sorter: Sorter,
    /// Which assignments' tasks are checked.
    takeover: Takeover,
    /// Tells which late tasks another checker has checked.
    repeats: Repeats,
    /// The neighbours.
    neighbours: Neighbours,
    /// How much may be said of pauses: a slow database makes many.
    pauses: Quota,
}

/// Intake's neighbours.
pub(crate) struct Neighbours {
    /// Where tasks go.
    pub(crate) hold: Arc<Hold>,
    /// Where results of tasks go that are not probed.
    pub(crate) results: Arc<Results>,
    /// The one clock.
    pub(crate) clock: Clock,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// However intake ends, the stages after it are told.
    pub(crate) _ended: DropGuard,
}

impl Intake {
    /// Intake that has read nothing yet.
    pub(crate) fn new(
        subscription: Subscription,
        sorter: Sorter,
        repeats: Repeats,
        neighbours: Neighbours,
    ) -> Self {
        Self {
            subscription,
            sorter,
            takeover: Takeover::default(),
            repeats,
            neighbours,
            pauses: Quota::new(),
        }
    }

    /// Reads until `stop`, then leaves the group.
    pub(crate) fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let sorter = &mut self.sorter;
            self.subscription
                .read(|message, position| sorter.sort(message, position));
            self.pass_on();
            self.give_up();
            self.pause_or_resume();
            self.subscription.maintain();
        }
        self.leave();
    }

    /// Passes tasks on to the hold, and those that need no probe to the recorder.
    fn pass_on(&mut self) {
        let Sorted {
            mut tasks,
            mut finished,
        } = self.sorter.take();
        let changed = self.subscription.changed_assignments();
        if let Some(assignments) = self.takeover.apply(changed, Instant::now()) {
            self.neighbours.hold.check_only(assignments);
        }
        let now = self.neighbours.clock.now_ms();
        let suspicious_ms = self.suspicious_ms();
        let late = tasks
            .iter()
            .filter(|held| now.ms_since(held.task.scheduled_at) > suspicious_ms);
        let recorded: BTreeSet<_> = self.repeats.recorded(late.map(|held| &held.task));
        if !recorded.is_empty() {
            let subscription = &mut self.subscription;
            tasks.retain(|held| {
                let repeat = recorded.contains(&held.task.check());
                if repeat {
                    subscription.done(held.position);
                }
                !repeat
            });
        }
        if !finished.is_empty() {
            self.neighbours.results.put_now(finished.drain(..));
        }
        if !tasks.is_empty() {
            self.neighbours.hold.put(tasks);
        }
    }

    /// From which lateness on a task may be a repeat, in milliseconds. After an assignment the member that had the
    /// partition before goes on for a while, and is likely to have checked what was due.
    fn suspicious_ms(&self) -> i64 {
        if self.subscription.was_assigned_within(TAKEOVER_TIME) {
            0
        } else {
            SUSPICIOUS_MS
        }
    }

    /// Records the checks for which there is no slot in time, as far as the recorder has room.
    fn give_up(&self) {
        let Neighbours { hold, results, .. } = &self.neighbours;
        let given_up = hold.give_up(results.room_for_unmade());
        if !given_up.is_empty() {
            results.put_now(given_up);
        }
    }

    /// Pauses when there is no room for more, and resumes at half.
    fn pause_or_resume(&mut self) {
        let Neighbours {
            hold,
            results,
            metrics,
            ..
        } = &self.neighbours;
        let (tasks, bytes) = hold.size();
        let gauge = |count| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.hold_size.set(gauge(tasks));
        metrics.hold_bytes.set(gauge(bytes));
        let paused = self.subscription.is_paused();
        let is_full = if paused {
            bytes > hold::MOST_BYTES / 2
        } else {
            bytes >= hold::MOST_BYTES
        };
        let pause = results.is_full() || is_full;
        if pause != paused {
            let what = if pause { "paused" } else { "resumed" };
            self.pauses.say(|left_out| {
                info!(hold.bytes = bytes, left_out, "{what} reading tasks");
            });
            self.subscription.set_paused(pause);
        }
    }

    /// Leaves the group. What comes by the way is sorted once more, and goes nowhere.
    fn leave(self) {
        let Self {
            subscription,
            mut sorter,
            repeats,
            neighbours,
            ..
        } = self;
        let left = subscription.leave(|message, position| sorter.sort(message, position));
        // The other stages wait for these; nothing waits for clients that cannot be closed.
        drop((sorter, repeats, neighbours));
        left.close();
    }
}
