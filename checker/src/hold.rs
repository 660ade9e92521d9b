//! Hold: tasks wait here until they are due, and threads of the lanes until there is one to take.
//!
//! The scheduler sends tasks a little ahead; here each waits for its instant, so that a check starts
//! when it is due, to the millisecond, whatever PostgreSQL and Kafka did on the way. The hold is
//! bounded in bytes: when it is full intake has it give up what waits for a slot, and pauses if nothing does.
//!
//! Threads take turns as leaders and followers, so that no thread stands between a task and the one that probes
//! (Schmidt and others, "Leader/Followers", Pattern Languages of Programs, 2000). The events that they wait for
//! are the instants of tasks. Several threads lead at once, each until another of the next tasks is due: a leader
//! wakes by itself, takes a task and goes off to probe. The others follow: they sleep until one of them is
//! promoted to leader, or given a task. A thread that comes back takes what is due, else leads if too few do,
//! else follows. So a check seldom wakes another thread, which would cost a tenth more: only when no thread leads
//! any more, or more tasks are due at once. The follower that waited least is woken first, as the pattern advises:
//! its stack is warm, and threads that are not needed stay cold.

use std::{
    collections::BTreeMap,
    iter,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use contract::instant::UnixMs;
use runtime::clock::Clock;

use crate::{
    follower::{Call, Follower},
    held::{Finished, Held},
    queue::Queue,
};

/// The most that held tasks may occupy, in bytes: about 150,000 small tasks.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The most threads that lead: so many checks may start, before one ends, without waking another thread.
const MOST_LEADERS: usize = 16;
/// Until when a thread leads if there is no task that lacks a leader.
const NEVER: UnixMs = UnixMs::MAX;
/// The most tasks that a thread gives to followers beside its own; the next that takes one gives out the rest.
const MOST_GIVEN: usize = 16;

/// The tasks that wait; shared by intake, which fills it, and the lanes, which empty it.
#[derive(Debug)]
pub(crate) struct Hold {
    /// What is held.
    state: Mutex<State>,
    /// Tells one of the leaders that the first task lacks a leader, and all of the end.
    changed: Condvar,
    /// The one clock.
    clock: Clock,
}

/// What is held, and which threads wait.
#[derive(Debug, Default)]
struct State {
    /// The tasks.
    queue: Queue,
    /// Until when each leader leads, the earliest first; a follower that is promoted counts from then on.
    leaders: Vec<UnixMs>,
    /// The threads that follow, the one that waited least last. There are none unless one leads.
    followers: Vec<Arc<Follower>>,
    /// Whether it is over.
    closed: bool,
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
        if state.first_lacks_leader() {
            self.changed.notify_one();
        }
    }

    /// From now on only tasks of these assignments are given out.
    pub(crate) fn check_only(&self, assignments: BTreeMap<i32, u64>) {
        self.lock().queue.check_only(assignments);
    }

    /// Waits for the next task that is due; `None` when the hold is closed, or this thread is one too many.
    pub(crate) fn next(&self, follower: &Arc<Follower>) -> Option<Box<Held>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = self.clock.now_ms();
            if let Some(held) = state.queue.take_ready(now) {
                let calls = state.call_followers(now);
                if state.first_lacks_leader() {
                    self.changed.notify_one();
                }
                drop(state);
                // the new leader first, as there is none until it knows
                for (follower, call) in calls.into_iter().rev() {
                    follower.wake(call);
                }
                return Some(held);
            }
            let until = state.first_without_leader();
            if state.leaders.is_empty() || (until < NEVER && state.leaders.len() < MOST_LEADERS) {
                state = self.lead(state, until);
                continue;
            }
            state.followers.push(Arc::clone(follower));
            drop(state);
            let until = match follower.sleep() {
                Call::Task(held) => return Some(held),
                Call::Lead(until) => until,
                Call::End => return None,
            };
            state = self.lock();
            state.remove_leader(until);
        }
    }

    /// Leads until that instant, or until the first task lacks a leader.
    fn lead<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        until: UnixMs,
    ) -> MutexGuard<'s, State> {
        state.add_leader(until);
        let end = self.clock.instant_at(until);
        let pause = end.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, pause);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.remove_leader(until);
        state
    }

    /// Gives out nothing any more; what is held will be read again by the checkers that get the partitions.
    pub(crate) fn close(&self) {
        let followers = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.followers)
        };
        self.changed.notify_all();
        for follower in followers {
            follower.wake(Call::End);
        }
    }

    /// Ends at most so many of the threads that follow; says how many.
    pub(crate) fn end_followers(&self, most: usize) -> usize {
        let ended = {
            let mut state = self.lock();
            let kept = state.followers.len().saturating_sub(most);
            state.followers.split_off(kept)
        };
        let count = ended.len();
        for follower in ended {
            follower.wake(Call::End);
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
    /// When the first task is ready that lacks a leader: the leader that wakes first is for the first task, the
    /// next for the second, and so on.
    fn first_without_leader(&self) -> UnixMs {
        let leaders = self.leaders.iter().copied().chain(iter::repeat(NEVER));
        let mut pairs = self.queue.ready().zip(leaders);
        let lacking = pairs.find_map(|(ready, until)| (ready < until).then_some(ready));
        lacking.unwrap_or(NEVER)
    }

    /// Whether no leader wakes in time for the first task, though there is one.
    fn first_lacks_leader(&self) -> bool {
        let first = self.queue.first_ready();
        let earliest = self.leaders.first();
        first
            .zip(earliest)
            .is_some_and(|(ready, until)| ready < *until)
    }

    /// A thread leads until that instant.
    fn add_leader(&mut self, until: UnixMs) {
        let place = self.leaders.partition_point(|other| *other < until);
        self.leaders.insert(place, until);
    }

    /// A thread that was to lead until that instant does so no more.
    fn remove_leader(&mut self, until: UnixMs) {
        let place = self.leaders.partition_point(|other| *other < until);
        self.leaders.remove(place);
    }

    /// Which followers to wake when a thread goes off with a task: those that get the other tasks that are due,
    /// except tasks for which a leader wakes now, and the one that is promoted if no thread leads.
    fn call_followers(&mut self, now: UnixMs) -> Vec<(Arc<Follower>, Call)> {
        let mut calls = Vec::new();
        if self.followers.is_empty() {
            return calls;
        }
        let awake = self.leaders.partition_point(|until| *until <= now);
        let due = self.queue.ready().take_while(|ready| *ready <= now);
        let others = due.skip(awake).take(MOST_GIVEN).count();
        // The last follower is kept to be promoted, if no thread leads.
        while calls.len() < others
            && self.followers.len() > usize::from(self.leaders.is_empty())
            && let Some(held) = self.queue.take_ready(now)
        {
            calls.extend(self.followers.pop().map(|next| (next, Call::Task(held))));
        }
        if self.leaders.is_empty() {
            calls.extend(self.promote());
        }
        calls
    }

    /// Promotes the follower that waited least to leader, if there is a follower.
    fn promote(&mut self) -> Option<(Arc<Follower>, Call)> {
        let follower = self.followers.pop()?;
        let until = self.first_without_leader();
        self.add_leader(until);
        Some((follower, Call::Lead(until)))
    }
}

#[cfg(test)]
#[path = "hold_tests.rs"]
mod tests;
