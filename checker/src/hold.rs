//! Hold: tasks wait here until they are due, and threads of the lanes until there is one to take.
//!
//! The scheduler sends tasks a little ahead; here each waits for its instant, so that a check starts
//! when it is due, to the millisecond, whatever PostgreSQL and Kafka did on the way. The hold is
//! bounded in bytes: when it is full intake has it give up what waits for a slot, and pauses if nothing does.
//!
//! Threads take turns, so that no thread stands between a task and the one that probes. A few of those that
//! wait keep watch, each until another of the next tasks is due: it wakes by itself, takes a task and goes off
//! to probe. A thread that comes back takes what is due, else keeps watch if too few do. So a check seldom wakes
//! another thread, which would cost a tenth more: only when nobody keeps watch any more, or more tasks are due at
//! once. Who waited least is called first: its stack is warm, and threads that are not needed stay cold.

use std::{
    collections::BTreeMap,
    iter,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use runtime::clock::Clock;

use crate::{
    held::{Finished, Held},
    queue::Queue,
};

/// The most that held tasks may occupy, in bytes: about 150,000 small tasks.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The most threads that keep watch: so many checks may start, before one ends, without a call to another thread.
const MOST_WATCHES: usize = 16;
/// Until when a watch is kept if there is no task that lacks one.
const NEVER: i64 = i64::MAX;
/// The most tasks that a thread gives out beside its own; the next that takes one gives out the rest.
const MOST_HANDED: usize = 16;

/// The tasks that wait; shared by intake, which fills it, and the lanes, which empty it.
#[derive(Debug)]
pub(crate) struct Hold {
    /// What is held.
    state: Mutex<State>,
    /// Tells one of those on watch that the first task lacks a watch, and all of the end.
    changed: Condvar,
    /// The one clock.
    clock: Clock,
}

/// What is held, and who waits.
#[derive(Debug, Default)]
struct State {
    /// The tasks.
    queue: Queue,
    /// Until when threads keep watch, or were told to, the earliest first.
    watches: Vec<i64>,
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
    /// Keep watch; it counts as kept until this instant.
    Watch(i64),
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
        for held in tasks {
            state.queue.add(held, now);
        }
        if state.first_is_unwatched() {
            self.changed.notify_one();
        }
    }

    /// The assignments have changed.
    pub(crate) fn assign(&self, assignments: BTreeMap<i32, u64>) {
        self.lock().queue.assign(assignments);
    }

    /// Waits for the next task that is due; `None` when the hold is closed, or has sent this thread home.
    pub(crate) fn next(&self, seat: &Arc<Seat>) -> Option<Box<Held>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = self.clock.now_ms();
            if let Some(held) = state.queue.take_ready(now) {
                let words = state.hand_out(now);
                if state.first_is_unwatched() {
                    self.changed.notify_one();
                }
                drop(state);
                // the watch first, as there is none until it knows
                for (seat, word) in words.into_iter().rev() {
                    seat.tell(word);
                }
                return Some(held);
            }
            let until = state.unwatched();
            if state.watches.is_empty() || (until < NEVER && state.watches.len() < MOST_WATCHES) {
                state = self.watch(state, until);
                continue;
            }
            state.idle.push(Arc::clone(seat));
            drop(state);
            let until = match seat.wait() {
                Word::Take(held) => return Some(held),
                Word::Watch(until) => until,
                Word::Over => return None,
            };
            state = self.lock();
            state.remove_watch(until);
        }
    }

    /// Waits until that instant, or until the first task lacks a watch.
    fn watch<'s>(&'s self, mut state: MutexGuard<'s, State>, until: i64) -> MutexGuard<'s, State> {
        state.add_watch(until);
        let end = self.clock.instant_at_ms(until);
        let pause = end.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, pause);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.remove_watch(until);
        state
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

    /// Sends home at most so many of the threads that wait; says how many.
    pub(crate) fn send_home(&self, most: usize) -> usize {
        let home = {
            let mut state = self.lock();
            let kept = state.idle.len().saturating_sub(most);
            state.idle.split_off(kept)
        };
        let count = home.len();
        for seat in home {
            seat.tell(Word::Over);
        }
        count
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
    /// When the first task is ready that lacks a watch: the watch that ends first is for the first task, the
    /// next for the second, and so on.
    fn unwatched(&self) -> i64 {
        let watches = self.watches.iter().copied().chain(iter::repeat(NEVER));
        let mut pairs = self.queue.ready().zip(watches);
        let lacking = pairs.find_map(|(ready, until)| (ready < until).then_some(ready));
        lacking.unwrap_or(NEVER)
    }

    /// Whether no watch ends in time for the first task, though somebody keeps one.
    fn first_is_unwatched(&self) -> bool {
        let first = self.queue.first_ready();
        let earliest = self.watches.first();
        first
            .zip(earliest)
            .is_some_and(|(ready, until)| ready < *until)
    }

    /// Somebody keeps watch until that instant.
    fn add_watch(&mut self, until: i64) {
        let place = self.watches.partition_point(|other| *other < until);
        self.watches.insert(place, until);
    }

    /// Somebody who was to keep watch until that instant does so no more.
    fn remove_watch(&mut self, until: i64) {
        let place = self.watches.partition_point(|other| *other < until);
        self.watches.remove(place);
    }

    /// What to tell threads that wait when one goes off with a task: the other tasks that are due, but for those
    /// whose watch ends now, and that one of them has to keep watch if none does.
    fn hand_out(&mut self, now: i64) -> Vec<(Arc<Seat>, Word)> {
        let mut words = Vec::new();
        if self.idle.is_empty() {
            return words;
        }
        let awake = self.watches.partition_point(|until| *until <= now);
        let due = self.queue.ready().take_while(|ready| *ready <= now);
        let others = due.skip(awake).take(MOST_HANDED).count();
        // The last that waits is kept for the watch, if there is none.
        while words.len() < others
            && self.idle.len() > usize::from(self.watches.is_empty())
            && let Some(held) = self.queue.take_ready(now)
        {
            words.extend(self.idle.pop().map(|seat| (seat, Word::Take(held))));
        }
        if self.watches.is_empty()
            && let Some(seat) = self.idle.pop()
        {
            let until = self.unwatched();
            self.add_watch(until);
            words.push((seat, Word::Watch(until)));
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
