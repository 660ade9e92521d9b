//! Lanes: blocking probes on rayon, many pools of a few threads.
//!
//! One pool of a thousand threads spends its time waking and stealing; lanes of 32 threads, each
//! running one loop, do not. Each takes tasks from the [hold](crate::hold) by itself: a lane that buffers is
//! late, as a task queues behind a busy thread while others are free.

use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::outcome::Reason;
use rayon::{ThreadPool, ThreadPoolBuilder};
use runtime::clock::Clock;
use tokio::sync::mpsc;

use crate::{
    hanging::Hanging,
    hold::Hold,
    metrics::Metrics,
    probe::Prober,
    queue::Held,
    record::{Finished, Results},
    trace::Times,
};

/// Threads of a lane; `slots` is a multiple of it.
pub const LANE_THREADS: usize = 32;
/// Of it 40 KiB come into use, 48 with a look-up or TLS, thread-locals included; the rest is address space
/// only.
const STACK_BYTES: usize = 1024 * 1024;

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

/// The lanes' neighbours.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// Where the tasks are.
    pub(crate) hold: Arc<Hold>,
    /// Where results go.
    pub(crate) results: Arc<Results>,
    /// The one clock.
    pub(crate) clock: Clock,
    /// What is counted.
    pub(crate) metrics: Metrics,
}

/// What a lane's threads work with.
struct Worker {
    /// What probes.
    prober: Prober,
    /// Who hung last; the lanes' own.
    hanging: Arc<Hanging>,
    /// The rest.
    links: Links,
    /// Dropped by the last thread.
    _alive: mpsc::Sender<()>,
}

/// Starts `slots` threads, each lane's with a prober of their own. They end with the hold.
pub(crate) fn start(slots: usize, prober: &Prober, links: &Links) -> Result<Drained> {
    let (alive, ended) = mpsc::channel(1);
    let hanging = Arc::new(Hanging::new(slots));
    for number in 0..slots / LANE_THREADS {
        let worker = Worker {
            prober: prober.for_another_lane(),
            hanging: Arc::clone(&hanging),
            links: links.clone(),
            _alive: alive.clone(),
        };
        let pool = pool(number).wrap_err("start the threads of a lane")?;
        // The pool's threads outlive it until their loop has ended.
        pool.spawn_broadcast(move |_| worker.run());
    }
    Ok(Drained::when(ended))
}

/// A pool whose threads are named after their lane.
fn pool(number: usize) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(LANE_THREADS)
        .stack_size(STACK_BYTES)
        .thread_name(move |thread| format!("lane-{number}-{thread}"))
        .build()
}

impl Worker {
    /// The loop of one thread.
    fn run(&self) {
        let Links {
            hold,
            results,
            clock,
            metrics,
        } = &self.links;
        let seat = Arc::default();
        while let Some(held) = hold.next(&seat) {
            let started_at_us = clock.now_us();
            // It may have expired in the hold, or while this thread was waking: nothing is probed late.
            if held.task.expires_at.saturating_mul(1_000) <= started_at_us {
                results.put(held.given_up(started_at_us, "expired while all slots were busy"));
                continue;
            }
            let Some(admission) = self.hanging.admit(held.task.site_id) else {
                let why = "it seems to hang, and the slots of such sites are busy";
                results.put(held.given_up(started_at_us, why));
                continue;
            };
            // The task stays in its box: the less lies on the stack here, the less of it comes into use.
            let Held {
                task,
                position,
                read_us,
            } = &*held;
            metrics.in_flight.inc();
            metrics.started(started_at_us.saturating_sub(task.scheduled_at.saturating_mul(1_000)));
            let result = self.prober.check(task, started_at_us);
            metrics.in_flight.dec();
            admission.ended(result.reason.is_some_and(Reason::is_timeout));
            let ended_us = clock.now_us();
            results.put(Finished {
                result,
                position: *position,
                times: Times {
                    read_us: *read_us,
                    ended_us,
                },
            });
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
