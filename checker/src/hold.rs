//! Hold: tasks wait here until they are due.
//!
//! The scheduler sends tasks a little ahead; here each waits for its instant, so that a check starts
//! when it is due, to the millisecond, whatever PostgreSQL and Kafka did on the way. The hold is
//! bounded in bytes; when it is full intake pauses.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::{Condvar, Mutex, PoisonError},
    time::Instant,
};

use contract::{outcome::Reason, result::CheckResult, task::Task};
use runtime::clock::Clock;

use crate::{ledger::Position, record::Finished};

/// The most that held tasks may occupy, in bytes: about 150,000 small tasks.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

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

/// What the hold gives out.
#[derive(Debug)]
pub(crate) enum Next {
    /// A task that is due.
    Due(Box<Held>),
    /// A task that expired while it waited for a thread.
    Expired(Box<Held>),
    /// Nothing any more: the hold was closed.
    Closed,
}

/// The tasks that wait; shared by intake, which fills it, and the dispatcher, which empties it.
#[derive(Debug)]
pub(crate) struct Hold {
    /// What is held.
    state: Mutex<State>,
    /// Tells the dispatcher of a task that is due earlier than those before, and of the end.
    changed: Condvar,
    /// The one clock.
    clock: Clock,
}

/// What is held.
#[derive(Debug, Default)]
struct State {
    /// The tasks, first due first.
    tasks: BinaryHeap<Reverse<Entry>>,
    /// What they occupy, in bytes.
    bytes: usize,
    /// The current assignment of each partition; tasks of others are dropped when they are met.
    assignments: BTreeMap<i32, u64>,
    /// Whether it is over.
    closed: bool,
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

impl Hold {
    /// An empty hold.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            clock,
        }
    }

    /// Takes in what one drain of Kafka's queue brought.
    pub(crate) fn put(&self, tasks: impl IntoIterator<Item = Held>) {
        let mut state = self.lock();
        let first = state.first_due();
        for held in tasks {
            let entry = Entry(Box::new(held));
            state.bytes += entry.bytes();
            state.tasks.push(Reverse(entry));
        }
        // Only a new first task changes what the dispatcher waits for.
        if state.first_due() != first {
            self.changed.notify_one();
        }
    }

    /// The assignments have changed.
    pub(crate) fn assign(&self, assignments: BTreeMap<i32, u64>) {
        self.lock().assignments = assignments;
    }

    /// Waits for the next task that is due.
    pub(crate) fn next(&self) -> Next {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::Closed;
            }
            let now = self.clock.now_ms();
            let Some(due) = state.first_due() else {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if due > now {
                let pause = self
                    .clock
                    .instant_at_ms(due)
                    .saturating_duration_since(Instant::now());
                (state, _) = self
                    .changed
                    .wait_timeout(state, pause)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if let Some(held) = state.pop() {
                return if held.task.expires_at <= now {
                    Next::Expired(held)
                } else {
                    Next::Due(held)
                };
            }
        }
    }

    /// Gives out nothing any more; what is held will be read again by whoever has the partitions.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// How many tasks wait, and what they occupy, in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let state = self.lock();
        (state.tasks.len(), state.bytes)
    }

    /// The state; a panic elsewhere leaves it usable.
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the first task is due.
    fn first_due(&self) -> Option<i64> {
        self.tasks
            .peek()
            .map(|Reverse(entry)| entry.0.task.scheduled_at)
    }

    /// Takes the first task; `None` if it was of an assignment that is over, and was dropped.
    fn pop(&mut self) -> Option<Box<Held>> {
        let Reverse(entry) = self.tasks.pop()?;
        self.bytes -= entry.bytes();
        let Position {
            partition,
            assignment,
            ..
        } = entry.0.position;
        (self.assignments.get(&partition) == Some(&assignment)).then_some(entry.0)
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
#[path = "hold_tests.rs"]
mod tests;
