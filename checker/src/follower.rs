//! A thread that follows: it sleeps until it is promoted to leader, or given a task; see the [hold](crate::hold).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use contract::instant::UnixMs;

use crate::held::Held;

/// What a thread sleeps on while it follows.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// Why it is woken.
    call: Mutex<Option<Call>>,
    /// That there is a call.
    called: Condvar,
}

/// Why a follower is woken.
#[derive(Debug)]
pub(crate) enum Call {
    /// Here is a task.
    Task(Box<Held>),
    /// It is promoted: it counts as a leader until this instant.
    Lead(UnixMs),
    /// It is over.
    End,
}

impl Follower {
    /// Wakes the thread that sleeps here, or is about to.
    pub(crate) fn wake(&self, call: Call) {
        *self.lock() = Some(call);
        self.called.notify_one();
    }

    /// Sleeps until there is a call.
    pub(crate) fn sleep(&self) -> Call {
        let mut call = self.lock();
        loop {
            if let Some(call) = call.take() {
                return call;
            }
            call = self
                .called
                .wait(call)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The call; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Option<Call>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
