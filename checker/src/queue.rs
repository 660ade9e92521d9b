//! Tasks in the order in which they are due, and what they occupy.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use contract::{outcome::Reason, result::CheckResult, task::Task};

use crate::{ledger::Position, record::Finished};

/// A task and where it stood.
#[derive(Debug)]
pub(crate) struct Held {
    /// The task.
    pub(crate) task: Task,
    /// Where it stood.
    pub(crate) position: Position,
}

impl Held {
    /// The result of a task whose time passed while all threads were busy.
    pub(crate) fn expired(&self) -> Finished {
        let Self { task, position } = self;
        let result = CheckResult::unmeasured(task.site_id, task.scheduled_at, Reason::Backlog)
            .with_detail("expired while all slots were busy");
        Finished {
            result,
            position: *position,
        }
    }
}

/// Tasks that wait to be due.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The tasks, first due first.
    tasks: BinaryHeap<Reverse<Entry>>,
    /// What they occupy, in bytes.
    bytes: usize,
    /// The current assignment of each partition; tasks of others are dropped when they are met.
    assignments: BTreeMap<i32, u64>,
}

/// A task in due order.
#[derive(Debug)]
struct Entry(Box<Held>);

impl Entry {
    /// What decides the order: the due instant, then the site.
    fn key(&self) -> (i64, i64) {
        (self.0.task.scheduled_at, self.0.task.site_id)
    }

    /// What the task occupies, in bytes, its place in the heap included.
    fn bytes(&self) -> usize {
        size_of::<Held>() + size_of::<Self>() + self.0.task.heap_bytes()
    }
}

impl Queue {
    /// Adds a task.
    pub(crate) fn add(&mut self, held: Held) {
        let entry = Entry(Box::new(held));
        self.bytes += entry.bytes();
        self.tasks.push(Reverse(entry));
    }

    /// The assignments have changed.
    pub(crate) fn assign(&mut self, assignments: BTreeMap<i32, u64>) {
        self.assignments = assignments;
    }

    /// When the first task is due.
    pub(crate) fn first_due(&self) -> Option<i64> {
        let first = self.tasks.peek();
        first.map(|Reverse(entry)| entry.0.task.scheduled_at)
    }

    /// Takes the first task if it is due; those of assignments that are over are dropped on the way.
    pub(crate) fn take_due(&mut self, now: i64) -> Option<Box<Held>> {
        while self.first_due()? <= now {
            let Reverse(entry) = self.tasks.pop()?;
            self.bytes -= entry.bytes();
            let Position {
                partition,
                assignment,
                ..
            } = entry.0.position;
            if self.assignments.get(&partition) == Some(&assignment) {
                return Some(entry.0);
            }
        }
        None
    }

    /// How many tasks wait, and what they occupy, in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.tasks.len(), self.bytes)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
