//! How many threads the [lanes](crate::lanes) have, and when they are to have more or fewer.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::LANE_THREADS;

/// So many threads are free, or another lane is started: as many checks may begin until it is there.
const RESERVE: usize = LANE_THREADS / 2;

/// How many threads there are.
#[derive(Debug)]
pub(crate) struct ThreadCount {
    /// How many have been started, or asked for.
    pub(crate) started: AtomicUsize,
    /// The most.
    pub(crate) slots: AtomicUsize,
}

impl ThreadCount {
    /// Whether to ask for another lane when so many threads are busy; it counts as started then.
    pub(crate) fn grows(&self, busy: usize) -> bool {
        let order = Ordering::Relaxed;
        let slots = self.slots.load(order);
        let grown = |threads: usize| {
            let few = threads.saturating_sub(busy) < RESERVE && threads < slots;
            few.then_some(threads + LANE_THREADS)
        };
        self.started.fetch_update(order, order, grown).is_ok()
    }

    /// How many threads are too many; they no longer count. Threads whose checks end meanwhile stay: together they
    /// would be more than the surplus.
    pub(crate) fn take_surplus(&self) -> usize {
        let order = Ordering::Relaxed;
        let slots = self.slots.load(order);
        let shrunk = |threads: usize| (threads > slots).then_some(slots);
        let before = self.started.fetch_update(order, order, shrunk);
        before.map_or(0, |threads| threads - slots)
    }

    /// Whether a thread is one too many; it no longer counts then.
    pub(crate) fn shrinks(&self) -> bool {
        let order = Ordering::Relaxed;
        let slots = self.slots.load(order);
        let shrunk = |threads: usize| (threads > slots).then(|| threads - 1);
        self.started.fetch_update(order, order, shrunk).is_ok()
    }
}
