//! Lanes: blocking probes on rayon, many pools of a few threads.
//!
//! One pool of a thousand threads spends its time waking and stealing; lanes of a few threads, each
//! running one loop, do not. Each takes tasks from the [hold](crate::hold) by itself: a lane that buffers is
//! late, as a task queues behind a busy thread while others are free.
//!
//! A thread takes 36 KiB before its first check, so there are only as many lanes as have been needed at once:
//! one at first, and another as soon as few threads are free, until there are all the `slots`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};
use std::thread;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::outcome::Reason;
use probe::Prober;
use rayon::{ThreadPool, ThreadPoolBuilder};
use recorder::Times;
use runtime::clock::Clock;
use tokio::sync::mpsc;
use tracing::error;

use crate::{
    config::LANE_THREADS,
    held::{Finished, Held, Results},
    hold::Hold,
    metrics::Metrics,
    thread_count::ThreadCount,
    timed_out_sites::TimedOutSites,
};

/// Of it 40 KiB come into use, 48 with a look-up or TLS, thread-locals included; the rest is address space
/// only.
const STACK_BYTES: usize = 1024 * 1024;
/// What of it comes into use, in bytes.
const STACK_USED: usize = 48 << 10;
/// What the system keeps of a thread, in bytes: its own stack, and page tables.
const THREAD_BYTES: usize = 24 << 10;
/// The most memory of a slot, in bytes.
pub(crate) const SLOT_BYTES: usize = STACK_USED + THREAD_BYTES + probe::CHECK_BYTES;

/// Tells when every thread has finished its last probe and ended.
#[derive(Debug)]
pub(crate) struct Ended(mpsc::Receiver<()>);

impl Ended {
    /// Waits for that.
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: each thread holds a sender until it ends.
        while self.0.recv().await.is_some() {}
    }
}

/// The stages before and after the lanes, and what else their threads share with the rest of the checker.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// Where the tasks are.
    pub(crate) hold: Arc<Hold>,
    /// Where results go.
    pub(crate) results: Arc<Results>,
    /// The one clock.
    pub(crate) clock: Clock,
    /// What is counted.
    pub(crate) metrics: Metrics,
}

impl Shared {
    /// What these threads share.
    pub(crate) fn new(
        hold: &Arc<Hold>,
        results: &Arc<Results>,
        clock: &Clock,
        metrics: &Metrics,
    ) -> Self {
        Self {
            hold: Arc::clone(hold),
            results: Arc::clone(results),
            clock: clock.clone(),
            metrics: metrics.clone(),
        }
    }
}

/// What a lane's threads work with.
#[derive(Clone)]
struct Worker {
    /// What probes.
    prober: Prober,
    /// Which sites timed out last.
    timed_out: Arc<TimedOutSites>,
    /// How many threads there are.
    threads: Arc<ThreadCount>,
    /// The rest.
    shared: Shared,
    /// Where another lane is asked for.
    wanted: SyncSender<Worker>,
    /// Dropped by the last thread.
    _alive: mpsc::Sender<()>,
}

/// How many checks run at once, which may change.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// How many threads there are.
    threads: Arc<ThreadCount>,
    /// The share of sites that timed out.
    timed_out: Arc<TimedOutSites>,
    /// Where threads wait.
    hold: Arc<Hold>,
}

impl Slots {
    /// Has so many checks run at once. More threads are started as they are needed. Fewer are reached as checks
    /// end; threads that wait end now.
    pub(crate) fn set(&self, slots: usize) {
        let order = Ordering::Relaxed;
        self.threads.slots.store(slots, order);
        self.timed_out.share(slots);
        let surplus = self.threads.take_surplus();
        let ended = self.hold.end_followers(surplus);
        self.threads.started.fetch_add(surplus - ended, order);
    }
}

/// Starts the first lane; others follow until there are `slots` threads. They end with the hold.
pub(crate) fn start(slots: usize, prober: &Prober, shared: &Shared) -> Result<(Ended, Slots)> {
    let (alive, ended) = mpsc::channel(1);
    // room for all that are ever asked for, as long as there are no more slots
    let (wanted, asked) = sync_channel(slots / LANE_THREADS);
    let slots = Slots {
        threads: Arc::new(ThreadCount {
            started: AtomicUsize::new(LANE_THREADS),
            slots: AtomicUsize::new(slots),
        }),
        timed_out: Arc::new(TimedOutSites::new(slots)),
        hold: Arc::clone(&shared.hold),
    };
    let worker = Worker {
        prober: prober.clone(),
        timed_out: Arc::clone(&slots.timed_out),
        threads: Arc::clone(&slots.threads),
        shared: shared.clone(),
        wanted,
        _alive: alive,
    };
    start_lane(0, worker).wrap_err("start the threads of a lane")?;
    let starter = thread::Builder::new().name("lanes".to_owned());
    let starter = starter.spawn(move || start_as_asked(&asked));
    drop(starter.wrap_err("start the thread that starts lanes")?);
    Ok((Ended(ended), slots))
}

/// Starts a lane whenever one is asked for, as long as a thread is there that may ask.
fn start_as_asked(asked: &Receiver<Worker>) {
    for (number, worker) in (1..).zip(asked) {
        if let Err(error) = start_lane(number, worker) {
            let threads = number * LANE_THREADS;
            error!(
                threads,
                "no more threads can be started, so that no more checks are made at once: {error}"
            );
            return;
        }
    }
}

/// Starts a lane.
fn start_lane(number: usize, worker: Worker) -> Result<(), rayon::ThreadPoolBuildError> {
    // The pool's threads outlive it until their loop has ended.
    pool(number)?.spawn_broadcast(move |_| worker.run());
    Ok(())
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
    /// Asks for another lane. Its prober is another one, so that no two lanes wait for a lock of the library. It
    /// is not inlined, or it took its share of the stack all the while that a check is made.
    #[inline(never)]
    fn grow(&self) {
        let worker = Self {
            prober: self.prober.for_another_lane(),
            ..self.clone()
        };
        // nothing listens any more where no thread could be started
        if let Err(TrySendError::Full(_)) = self.wanted.try_send(worker) {
            // Many lanes are being started for slots that were added: another check asks again.
            self.threads
                .started
                .fetch_sub(LANE_THREADS, Ordering::Relaxed);
        }
    }

    /// The loop of one thread.
    fn run(&self) {
        let Shared {
            hold,
            results,
            clock,
            metrics,
        } = &self.shared;
        let follower = Arc::default();
        while let Some(held) = hold.next(&follower) {
            let started_at = clock.now_us();
            // It may have expired in the hold, or while this thread was waking: nothing is probed late.
            if held.task.expires_at.to_us() <= started_at {
                let given_up = held.given_up(started_at, "expired while all slots were busy");
                drop(held);
                results.put(given_up);
                continue;
            }
            let Some(admission) = self.timed_out.admit(held.task.site_id) else {
                let why = "it seems to hang, and the slots of such sites are busy";
                let given_up = held.given_up(started_at, why);
                drop(held);
                results.put(given_up);
                continue;
            };
            // The task stays in its box: the less lies on the stack here, the less of it comes into use.
            let Held {
                ref task,
                position,
                read_at,
            } = *held;
            let others = metrics.in_flight.inc();
            if self.threads.grows(usize::try_from(others).unwrap_or(0) + 1) {
                self.grow();
            }
            metrics.started(started_at.us_since(task.scheduled_at.to_us()));
            let result = self.prober.check(task, started_at);
            metrics.in_flight.dec();
            admission.ended(result.reason.is_some_and(Reason::is_timeout));
            let ended_at = clock.now_us();
            // It may have long options, and results may have to wait.
            drop(held);
            results.put(Finished {
                result,
                position,
                times: Times { read_at, ended_at },
            });
            if self.threads.shrinks() {
                return;
            }
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
