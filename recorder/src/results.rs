//! Results that wait to be recorded: a queue with bounds.
//!
//! The recorder takes what waits by the clock, so that a result wakes no thread; only a full batch does.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::finished::Finished;

/// The rows of one statement.
pub(crate) const BATCH_ROWS: usize = 2_000;
/// The most results that wait to be taken; [`Results::put`] waits when there are more.
pub(crate) const MOST_WAITING: usize = 20_000;
/// The most that they may occupy, in bytes: as many with details of 130 bytes. A server may make long ones.
const MOST_WAITING_BYTES: usize = 8 << 20;
/// A queue grows by doubling, to so many bytes more.
const GROWTH_BYTES: usize = 6 << 20;
/// The most memory of results, in bytes: of those that wait, and of those that are being written.
pub const BYTES: usize = 2 * (MOST_WAITING_BYTES + GROWTH_BYTES);

/// Results that wait to be taken.
#[derive(Debug)]
pub struct Results<P> {
    /// The results.
    waiting: Mutex<Waiting<P>>,
    /// Tells [`Self::put`] that there is room again.
    room: Condvar,
    /// Tells the recorder that a batch is full.
    full: Notify,
}

/// What waits.
#[derive(Debug)]
struct Waiting<P> {
    /// The results.
    finished: Vec<Finished<P>>,
    /// What they occupy, in bytes.
    bytes: usize,
}

impl<P> Results<P> {
    /// Adds a result; waits while there are too many.
    pub fn put(&self, finished: Finished<P>) {
        let mut waiting = self.lock();
        while waiting.is_full() {
            waiting = self
                .room
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.add(waiting, [finished]);
    }

    /// Adds results without waiting: for a thread that must not stop polling. It asks
    /// [`Self::is_full`] before it reads on.
    pub fn put_now(&self, finished: impl IntoIterator<Item = Finished<P>>) {
        self.add(self.lock(), finished);
    }

    /// Whether [`Self::put`] would wait.
    pub fn is_full(&self) -> bool {
        self.lock().is_full()
    }

    /// How many results of checks that were not made may be added: half of the room is kept for those that
    /// were made, so that these need not wait.
    pub fn room_for_unmade(&self) -> usize {
        let waiting = self.lock();
        if waiting.bytes >= MOST_WAITING_BYTES / 2 {
            return 0;
        }
        (MOST_WAITING / 2).saturating_sub(waiting.finished.len())
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().finished.len()
    }

    /// Takes everything that waits.
    pub fn take(&self) -> Vec<Finished<P>> {
        let taken = std::mem::take(&mut *self.lock());
        self.room.notify_all();
        taken.finished
    }

    /// Waits until there is a full batch.
    pub(crate) async fn full_batch(&self) {
        self.full.notified().await;
    }

    /// Adds, and wakes the recorder when a batch has become full.
    fn add(
        &self,
        mut waiting: MutexGuard<'_, Waiting<P>>,
        finished: impl IntoIterator<Item = Finished<P>>,
    ) {
        let before = waiting.finished.len();
        for finished in finished {
            waiting.bytes += finished.bytes();
            waiting.finished.push(finished);
        }
        if before < BATCH_ROWS && waiting.finished.len() >= BATCH_ROWS {
            self.full.notify_one();
        }
    }

    /// The queue; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Waiting<P>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P> Default for Results<P> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            room: Condvar::new(),
            full: Notify::new(),
        }
    }
}

impl<P> Waiting<P> {
    /// Whether there are too many.
    fn is_full(&self) -> bool {
        self.finished.len() >= MOST_WAITING || self.bytes >= MOST_WAITING_BYTES
    }
}

impl<P> Default for Waiting<P> {
    fn default() -> Self {
        Self {
            finished: Vec::new(),
            bytes: 0,
        }
    }
}
