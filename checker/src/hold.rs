//! Hold: tasks wait here until they are due, and threads of the lanes until there is one to take.
//!
//! The scheduler sends tasks a little ahead; here each waits for its instant, so that a check starts
//! when it is due, to the millisecond, whatever PostgreSQL and Kafka did on the way. The hold is
//! bounded in bytes: when it is full intake has it give up what waits for a slot, and pauses if nothing does.
//!
//! Threads take turns, so that no thread stands between a task and the one that probes. One of those
//! that wait keeps watch. When tasks are due it takes the first, gives others to threads that wait,
//! hands the watch on and goes off to probe. A thread that comes back takes what is due without waiting for
//! anybody: while there is more to do than threads, a check wakes nobody. Who waited least is called
//! first: its stack is warm, and threads that are not needed stay cold.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use runtime::clock::Clock;

use crate::{
    queue::{Held, Queue},
    record::Finished,
};

/// The most that held tasks may occupy, in bytes: about 150,000 small tasks.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The most tasks that a thread gives out before it takes its own; the next watch gives out the rest.
const MOST_HANDED: usize = 16;

/// The tasks that wait; shared by intake, which fills it, and the lanes, which empty it.
#[derive(Debug)]
pub(crate) struct Hold {
    /// What is held.
    state: Mutex<State>,
    /// Tells the watch of a task that is due earlier than those before, and of the end.
    changed: Condvar,
    /// The one clock.
    clock: Clock,
}

/// What is held, and who waits.
#[derive(Debug, Default)]
struct State {
    /// The tasks.
    queue: Queue,
    /// Whether a thread keeps watch, or was told to.
    watched: bool,
    /// The other threads that wait, who waited least last. There are none unless one keeps watch.
    idle: Vec<Arc<Seat>>,
    /// Whether it is over.
    closed: bool,
}

/// Where a thread waits.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// What it was told.
    word: Mutex<Option<Word>>,
    /// That it was told something.
    told: Condvar,
}

/// What a thread is told that waits.
#[derive(Debug)]
enum Word {
    /// Here is a task.
    Take(Box<Held>),
    /// Keep watch.
    Watch,
    /// It is over.
    Over,
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
        let now = self.clock.now_ms();
        let mut state = self.lock();
        let first = state.queue.first_ready();
        for held in tasks {
            state.queue.add(held, now);
        }
        // Only a new first task changes what the watch waits for.
        if state.queue.first_ready() != first {
            self.changed.notify_one();
        }
    }

    /// The assignments have changed.
    pub(crate) fn assign(&self, assignments: BTreeMap<i32, u64>) {
        self.lock().queue.assign(assignments);
    }

    /// Waits for the next task that is due; `None` when the hold is closed.
    pub(crate) fn next(&self, seat: &Arc<Seat>) -> Option<Box<Held>> {
        let mut state = self.lock();
        let mut on_watch = false;
        loop {
            if state.closed {
                return None;
            }
            let now = self.clock.now_ms();
            if let Some(held) = state.queue.take_ready(now) {
                state.watched &= !on_watch;
                let words = state.hand_out(now);
                drop(state);
                // the watch first, as there is none until it knows
                for (seat, word) in words.into_iter().rev() {
                    seat.tell(word);
                }
                return Some(held);
            }
            if on_watch || !state.watched {
                on_watch = true;
                state.watched = true;
                state = self.watch(state);
                continue;
            }
            state.idle.push(Arc::clone(seat));
            drop(state);
            match seat.wait() {
                Word::Take(held) => return Some(held),
                Word::Watch => on_watch = true,
                Word::Over => return None,
            }
            state = self.lock();
        }
    }

    /// Waits until the first task is due, or another has become the first.
    fn watch<'s>(&'s self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let Some(ready) = state.queue.first_ready() else {
            let state = self.changed.wait(state);
            return state.unwrap_or_else(PoisonError::into_inner);
        };
        let ready = self.clock.instant_at_ms(ready);
        let pause = ready.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, pause);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Gives out nothing any more; what is held will be read again by whoever has the partitions.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.idle)
        };
        self.changed.notify_all();
        for seat in idle {
            seat.tell(Word::Over);
        }
    }

    /// Gives up the tasks for which there has been no slot for too long, and the oldest of those that are due
    /// while more bytes are held than may be; at most so many.
    pub(crate) fn give_up(&self, most: usize) -> Vec<Finished> {
        let now = self.clock.now_ms();
        self.lock().queue.give_up(now, MOST_BYTES, most)
    }

    /// How many tasks wait, and what they occupy, in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.lock().queue.size()
    }

    /// The state; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What to tell threads that wait when one goes off with a task: the other tasks that are due, and
    /// that one of them has to keep watch.
    fn hand_out(&mut self, now: i64) -> Vec<(Arc<Seat>, Word)> {
        let mut words = Vec::new();
        // The last that waits is kept for the watch, if there is none.
        while words.len() < MOST_HANDED
            && self.idle.len() > usize::from(!self.watched)
            && let Some(held) = self.queue.take_ready(now)
        {
            words.extend(self.idle.pop().map(|seat| (seat, Word::Take(held))));
        }
        if !self.watched
            && let Some(seat) = self.idle.pop()
        {
            self.watched = true;
            words.push((seat, Word::Watch));
        }
        words
    }
}

impl Seat {
    /// Tells whoever waits here, or is about to.
    fn tell(&self, word: Word) {
        *self.lock() = Some(word);
        self.told.notify_one();
    }

    /// Waits to be told.
    fn wait(&self) -> Word {
        let mut told = self.lock();
        loop {
            if let Some(word) = told.take() {
                return word;
            }
            told = self.told.wait(told).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The word; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Option<Word>> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "hold_tests.rs"]
mod tests;
