//! Lanes: blocking probes on rayon, many pools of a few threads.
//!
//! One pool of a thousand threads spends its time waking and stealing; lanes of 32 threads, each
//! running one loop, do not. A task is handed to a thread that waits for it: a lane that buffers is
//! late, as a task queues behind a busy thread while others are free. The first lane with a waiting
//! thread gets the task, so that lanes that are not needed stay cold.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use color_eyre::eyre::{Result, WrapErr as _};
use rayon::{ThreadPool, ThreadPoolBuilder};
use runtime::clock::Clock;
use tokio::sync::mpsc;

use crate::{
    hold::Held,
    metrics::Metrics,
    probe::Prober,
    record::{Finished, Results},
};

/// Threads of a lane; `slots` is a multiple of it.
pub const LANE_THREADS: usize = 32;
/// A probe touches 30 to 60 KiB of its stack; the rest is address space only.
const STACK_BYTES: usize = 1024 * 1024;

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// The lanes, in the order in which they are offered tasks.
    lanes: Vec<Arc<Lane>>,
    /// Threads that wait for a task and have not been promised one.
    free: Arc<Free>,
}

/// Tells when every thread has finished its last probe.
#[derive(Debug)]
pub(crate) struct Drained(mpsc::Receiver<()>);

impl Drained {
    /// When whoever sends on the other end is gone.
    pub(crate) const fn when(gone: mpsc::Receiver<()>) -> Self {
        Self(gone)
    }

    /// Waits for that.
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: each thread holds a sender until it ends.
        while self.0.recv().await.is_some() {}
    }
}

/// Counts the threads that could take a task.
#[derive(Debug, Default)]
struct Free {
    /// How many there are.
    threads: Mutex<usize>,
    /// Told when there is one more.
    more: Condvar,
}

/// One pool.
#[derive(Debug, Default)]
struct Lane {
    /// What its threads share.
    state: Mutex<LaneState>,
    /// Tells a waiting thread of its task, or of the end.
    handed: Condvar,
}

/// What the threads of a lane share.
#[derive(Debug, Default)]
struct LaneState {
    /// Threads that wait for a task and have not been promised one.
    waiting: usize,
    /// Tasks for threads that were promised one: never more than there are threads to take them.
    handed: VecDeque<Box<Held>>,
    /// Whether it is over.
    closed: bool,
}

/// The promise of a waiting thread.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Lane>);

/// What a lane's threads work with.
struct Worker {
    /// Their lane.
    lane: Arc<Lane>,
    /// All lanes' free threads.
    free: Arc<Free>,
    /// What probes.
    prober: Prober,
    /// Where results go.
    results: Arc<Results>,
    /// The one clock.
    clock: Clock,
    /// What is counted.
    metrics: Metrics,
    /// Dropped by the last thread.
    _alive: mpsc::Sender<()>,
}

impl Lanes {
    /// Starts `slots` threads, each lane's with a prober of their own.
    pub(crate) fn start(
        slots: usize,
        prober: &Prober,
        results: &Arc<Results>,
        clock: &Clock,
        metrics: &Metrics,
    ) -> Result<(Self, Drained)> {
        let (alive, ended) = mpsc::channel(1);
        let free = Arc::new(Free::default());
        let lanes = (0..slots / LANE_THREADS)
            .map(|number| {
                let lane = Arc::new(Lane::default());
                let worker = Worker {
                    lane: Arc::clone(&lane),
                    free: Arc::clone(&free),
                    prober: prober.for_another_lane(),
                    results: Arc::clone(results),
                    clock: clock.clone(),
                    metrics: metrics.clone(),
                    _alive: alive.clone(),
                };
                let pool = pool(number).wrap_err("start the threads of a lane")?;
                // The pool's threads outlive it until their loop has ended.
                pool.spawn_broadcast(move |_| worker.run());
                Ok(lane)
            })
            .collect::<Result<_>>()?;
        Ok((Self { lanes, free }, Drained::when(ended)))
    }

    /// Waits for a thread that can take a task.
    pub(crate) fn seat(&self) -> Option<Seat> {
        self.free.take();
        self.lanes
            .iter()
            .find(|lane| lane.reserve())
            .map(|lane| Seat(Arc::clone(lane)))
    }

    /// Takes no more tasks.
    fn close(&self) {
        for lane in &self.lanes {
            lane.lock().closed = true;
            lane.handed.notify_all();
        }
    }
}

impl Drop for Lanes {
    /// However dispatch ends, the threads end after their last probe.
    fn drop(&mut self) {
        self.close();
    }
}

/// A pool whose threads are named after their lane.
fn pool(number: usize) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(LANE_THREADS)
        .stack_size(STACK_BYTES)
        .thread_name(move |thread| format!("lane-{number}-{thread}"))
        .build()
}

impl Seat {
    /// Hands the task to the promised thread.
    pub(crate) fn give(self, held: Box<Held>) {
        self.0.lock().handed.push_back(held);
        self.0.handed.notify_one();
    }
}

impl Free {
    /// Waits for a thread and counts it as promised.
    fn take(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        while *threads == 0 {
            threads = self
                .more
                .wait(threads)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *threads -= 1;
    }

    /// One more thread waits.
    fn put(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        *threads += 1;
        // Nobody waits while there are threads.
        if *threads == 1 {
            self.more.notify_one();
        }
    }
}

impl Lane {
    /// Promises one of the waiting threads, if there is one.
    fn reserve(&self) -> bool {
        let mut state = self.lock();
        let found = state.waiting > 0;
        state.waiting -= usize::from(found);
        found
    }

    /// Waits for a task; `None` when it is over.
    fn next(&self, free: &Free) -> Option<Box<Held>> {
        self.lock().waiting += 1;
        free.put();
        let mut state = self.lock();
        loop {
            if let Some(held) = state.handed.pop_front() {
                return Some(held);
            }
            if state.closed {
                return None;
            }
            state = self
                .handed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The state; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// The loop of one thread.
    fn run(&self) {
        while let Some(held) = self.lane.next(&self.free) {
            let started_at_us = self.clock.now_us();
            // Once more, as a busy machine may have let this thread wait: nothing is probed late.
            if held.task.expires_at.saturating_mul(1_000) <= started_at_us {
                self.results.put(held.expired());
                continue;
            }
            let Held { task, position } = *held;
            self.metrics.in_flight.inc();
            self.metrics
                .started(started_at_us.saturating_sub(task.scheduled_at.saturating_mul(1_000)));
            let result = self.prober.check(&task, started_at_us);
            self.metrics.in_flight.dec();
            self.results.put(Finished { result, position });
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
