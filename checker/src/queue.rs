//! Tasks in the order in which they are due, what they occupy, and which goes first when there are too many.
//!
//! A task is ready when it is due, or when it was read if that was later. In the ordinary course the oldest
//! ready task goes first. Once that one has waited a second there are more tasks than slots, and most will not
//! run in time in any order. Then one of those that became ready within the last second goes first, drawn at
//! random: each check has the same chance, whatever its interval. Were it the newest, slots that come free in a
//! rhythm, as behind sites that all take as long, would meet the same sites each time, and others never. A task
//! that has waited five seconds is given up.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
};

use contract::{check::SiteId, instant::UnixMs, task::Task};
use stream::subscription::Position;

use crate::held::{Finished, Held};

/// How long the oldest ready task has waited when those go first that have waited less.
const PATIENCE_MS: i64 = 1_000;
/// Among how many tasks chance decides; the first of them is a matter of chance, too.
const DRAWN: usize = 32;
/// How long a task waits at most, once it is ready.
const MOST_WAIT_MS: i64 = 5_000;

/// Tasks that wait to be due, or for a slot.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The tasks.
    tasks: BTreeMap<Key, Box<Held>>,
    /// What they occupy, in bytes.
    bytes: usize,
    /// How many tasks there have been.
    count: u64,
    /// The assignments whose tasks are given out: those of now and, for a while, those that were lost (see
    /// [takeover](crate::intake)). Other tasks are dropped when their turn comes.
    assignments: BTreeMap<i32, u64>,
    /// What chance comes from.
    chance: RandomState,
}

/// What decides the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// From when it may be started.
    ready: UnixMs,
    /// When it is due: of those that were read late the oldest goes first.
    due: UnixMs,
    /// The site.
    site: SiteId,
    /// The number of the task: a task may have been read twice.
    number: u64,
}

impl Key {
    /// The lowest of an instant at which tasks are ready.
    const fn first_at(ready: UnixMs) -> Self {
        Self {
            ready,
            due: UnixMs::MIN,
            site: SiteId(i64::MIN),
            number: 0,
        }
    }
}

impl Queue {
    /// Adds a task that was read at `now`.
    pub(crate) fn add(&mut self, held: Held, now: UnixMs) {
        let Task {
            site_id,
            scheduled_at,
            ..
        } = held.task;
        let key = Key {
            ready: scheduled_at.max(now),
            due: scheduled_at,
            site: site_id,
            number: self.count,
        };
        self.count += 1;
        self.bytes += bytes(&held);
        self.tasks.insert(key, Box::new(held));
    }

    /// From now on only tasks of these assignments are given out.
    pub(crate) fn check_only(&mut self, assignments: BTreeMap<i32, u64>) {
        self.assignments = assignments;
    }

    /// When the first task is ready.
    pub(crate) fn first_ready(&self) -> Option<UnixMs> {
        self.ready().next()
    }

    /// When the tasks are ready, the first first.
    pub(crate) fn ready(&self) -> impl Iterator<Item = UnixMs> {
        self.tasks.keys().map(|key| key.ready)
    }

    /// Takes the task that is to be started next; those of assignments that are over are dropped on the way.
    pub(crate) fn take_ready(&mut self, now: UnixMs) -> Option<Box<Held>> {
        loop {
            let oldest = self.first_ready().filter(|ready| *ready <= now)?;
            let next = if now.ms_since(oldest) < PATIENCE_MS {
                self.tasks.pop_first()
            } else {
                self.pop_any(now)
            };
            if let Some(held) = self.out(next?.1) {
                return Some(held);
            }
        }
    }

    /// Takes the tasks that are not to be started any more, the oldest first and at most so many: those that
    /// have waited too long or expired, and, while all occupy more than `bytes`, others for which there has been
    /// no slot for a while.
    pub(crate) fn give_up(&mut self, now: UnixMs, bytes: usize, most: usize) -> Vec<Finished> {
        let mut given_up = Vec::new();
        while given_up.len() < most
            && let Some((key, held)) = self.tasks.first_key_value()
            && key.ready <= now
        {
            let waited = now.ms_since(key.ready);
            let too_long = waited >= MOST_WAIT_MS || held.task.expires_at <= now;
            if !too_long && (waited < PATIENCE_MS || self.bytes <= bytes) {
                break;
            }
            let oldest = self.tasks.pop_first();
            if let Some(held) = oldest.and_then(|(_, held)| self.out(held)) {
                let why = if too_long {
                    format!("waited {waited} ms for a slot")
                } else {
                    format!("waited {waited} ms for a slot, and no more tasks could be held")
                };
                given_up.push(held.given_up(now.to_us(), why));
            }
        }
        given_up
    }

    /// Takes out any of the tasks that have been ready for less than a second, else the newest that is ready.
    fn pop_any(&mut self, now: UnixMs) -> Option<(Key, Box<Held>)> {
        let end = now.plus_ms(1);
        let start = end.plus_ms(-PATIENCE_MS);
        // from a moment of this second on, and round from its end to its beginning
        let draw = self.chance.hash_one((now, self.tasks.len())) % PATIENCE_MS.unsigned_abs();
        let draw = i64::try_from(draw).unwrap_or(0);
        let moment = Key::first_at(start.plus_ms(draw));
        let (start, end) = (Key::first_at(start), Key::first_at(end));
        let round = self.tasks.range(moment..end);
        let round = round.chain(self.tasks.range(start..moment));
        let any = round
            .take(DRAWN)
            .max_by_key(|(key, _)| self.chance.hash_one(key.number));
        let (key, _) = any.or_else(|| self.tasks.range(..start).next_back())?;
        let key = *key;
        self.tasks.remove_entry(&key)
    }

    /// A task that has been taken out, unless its assignment is over.
    fn out(&mut self, held: Box<Held>) -> Option<Box<Held>> {
        self.bytes -= bytes(&held);
        let Position {
            partition,
            assignment,
            ..
        } = held.position;
        (self.assignments.get(&partition) == Some(&assignment)).then_some(held)
    }

    /// How many tasks wait, and what they occupy, in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.tasks.len(), self.bytes)
    }
}

/// What a task occupies, in bytes, its place in the queue included.
fn bytes(held: &Held) -> usize {
    // a tree's nodes are two thirds full on average
    let place = (size_of::<Key>() + size_of::<Box<Held>>()) * 3 / 2;
    size_of::<Held>() + place + held.task.heap_bytes()
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
