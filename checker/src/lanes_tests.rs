//! What the lanes promise.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::Duration,
};

use contract::instant::UnixMs;
use contract::task::Task;
use prometheus_client::registry::Registry;
use stream::subscription::Ledger;
use tokio::time::timeout;

use crate::{
    fixtures::{self, GLIMPSE, NOW, PATIENCE, held, task, wait_until},
    hold::Hold,
};

use super::*;

/// A website that answers only when the test says so.
struct Gate {
    /// The address of the website.
    url: String,
    /// Requests that wait for an answer.
    asked: Receiver<TcpStream>,
}

impl Gate {
    /// Starts it.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (asking, asked) = sync_channel(1_000);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // A request is small enough for one packet.
                if stream.read(&mut [0; 4_096]).is_ok() && asking.send(stream).is_err() {
                    return;
                }
            }
        });
        Self { url, asked }
    }

    /// A task that asks here.
    fn task(&self, site_id: i64) -> Task {
        Task {
            url: self.url.clone(),
            ..task(site_id, NOW)
        }
    }

    /// The next request.
    fn request(&self) -> TcpStream {
        self.asked.recv_timeout(PATIENCE).unwrap()
    }
}

/// Answers a request.
fn answer(mut stream: TcpStream) {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .unwrap();
}

/// What is around the lanes.
struct Bed {
    /// Where the tasks wait.
    hold: Arc<Hold>,
    /// Where the results are.
    results: Arc<Results>,
    /// What is counted.
    metrics: Metrics,
    /// The account of the only partition.
    ledger: Ledger,
    /// The one clock.
    clock: Clock,
}

impl Bed {
    /// An empty hold and no results.
    fn new() -> Self {
        let clock = Clock::fixed(UnixMs(NOW));
        let hold = Arc::new(Hold::new(clock.clone()));
        let mut ledger = Ledger::default();
        ledger.assign(&[0]);
        hold.check_only(ledger.changed().unwrap());
        Self {
            hold,
            results: Arc::default(),
            metrics: Metrics::register(&mut Registry::default()),
            ledger,
            clock,
        }
    }

    /// Starts so many threads.
    fn start(&self, slots: usize) -> Ended {
        self.start_some(slots).0
    }

    /// The same; how many they are may be changed.
    fn start_some(&self, slots: usize) -> (Ended, Slots) {
        let shared = Shared::new(&self.hold, &self.results, &self.clock, &self.metrics);
        start(slots, &fixtures::prober(), &shared).unwrap()
    }

    /// Puts tasks into the hold.
    fn put(&mut self, tasks: impl IntoIterator<Item = Task>) {
        let ledger = &mut self.ledger;
        let tasks: Vec<_> = tasks.into_iter().map(|task| held(ledger, task)).collect();
        self.hold.put(tasks);
    }
}

#[test]
fn as_many_probes_run_as_there_are_slots_and_the_next_when_one_ends() {
    let mut bed = Bed::new();
    let gate = Gate::start();
    let _ended = bed.start(64);
    bed.put((1..=65).map(|id| gate.task(id)));
    let mut running: Vec<_> = (0..64).map(|_| gate.request()).collect();
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    assert_eq!((bed.metrics.in_flight.get(), bed.hold.size().0), (64, 1));
    answer(running.pop().unwrap());
    running.push(gate.request());
    assert_eq!(bed.hold.size(), (0, 0));
    running.into_iter().for_each(answer);
    wait_until("all probes end", || bed.metrics.in_flight.get() == 0);
    bed.hold.close();
}

#[test]
fn lanes_are_asked_for_one_by_one_as_few_threads_are_free_and_no_more_than_there_are_slots() {
    let threads = ThreadCount {
        started: AtomicUsize::new(LANE_THREADS),
        slots: AtomicUsize::new(3 * LANE_THREADS),
    };
    let busy = [1, 16, 17, 17, 48, 49, 49, 81, 96];
    let grows: Vec<_> = busy.map(|busy| threads.grows(busy)).into();
    let asked = [false, false, true, false, false, true, false, false, false];
    assert_eq!(grows, asked);
}

#[test]
fn with_more_slots_more_probes_run_and_with_fewer_fewer() {
    let mut bed = Bed::new();
    let gate = Gate::start();
    let (_ended, slots) = bed.start_some(LANE_THREADS);
    bed.put((1..=400).map(|id| gate.task(id)));
    let mut running: Vec<_> = (0..32).map(|_| gate.request()).collect();
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    // those that wait for a slot get one as soon as a check shows that few are free
    slots.set(4 * LANE_THREADS);
    answer(running.pop().unwrap());
    running.extend((0..97).map(|_| gate.request()));
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    assert_eq!(bed.metrics.in_flight.get(), 128);
    // what is under way goes on, and as many fewer follow
    slots.set(LANE_THREADS);
    running.drain(..96).for_each(answer);
    wait_until("the rest is under way", || {
        bed.metrics.in_flight.get() == 32
    });
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    answer(running.pop().unwrap());
    running.push(gate.request());
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    bed.hold.close();
    running.into_iter().for_each(answer);
}

#[test]
fn what_ends_for_fewer_slots_is_not_more_than_the_surplus() {
    let threads = ThreadCount {
        started: AtomicUsize::new(96),
        slots: AtomicUsize::new(64),
    };
    assert!(threads.shrinks());
    assert_eq!(threads.take_surplus(), 31);
    assert!(!threads.shrinks());
    assert_eq!(threads.take_surplus(), 0);
}

#[test]
fn threads_that_wait_end_when_there_are_fewer_slots() {
    let mut bed = Bed::new();
    let gate = Gate::start();
    let (_ended, slots) = bed.start_some(3 * LANE_THREADS);
    bed.put((1..=96).map(|id| gate.task(id)));
    (0..96)
        .map(|_| gate.request())
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(answer);
    wait_until("all probes end", || bed.metrics.in_flight.get() == 0);
    let threads = || slots.threads.started.load(Ordering::Relaxed);
    assert_eq!(threads(), 96);
    slots.set(2 * LANE_THREADS);
    wait_until("as many as there are slots are left", || {
        slots.set(2 * LANE_THREADS);
        threads() == 64
    });
    bed.put((97..=200).map(|id| gate.task(id)));
    let running: Vec<_> = (0..64).map(|_| gate.request()).collect();
    assert!(gate.asked.recv_timeout(GLIMPSE).is_err());
    bed.hold.close();
    running.into_iter().for_each(answer);
}

#[tokio::test]
async fn the_end_lets_probes_finish_and_keeps_their_results() {
    let mut bed = Bed::new();
    let gate = Gate::start();
    let ended = bed.start(LANE_THREADS);
    bed.put([gate.task(1)]);
    let running = gate.request();
    bed.hold.close();
    let mut ended = std::pin::pin!(ended.wait());
    assert!(timeout(GLIMPSE, &mut ended).await.is_err());
    assert!(bed.results.take().is_empty());
    answer(running);
    timeout(PATIENCE, ended).await.unwrap();
    let results = bed.results.take();
    let reasons: Vec<_> = results.iter().map(|done| done.result.reason).collect();
    assert_eq!(reasons, [None]);
}

#[tokio::test]
async fn a_task_that_expired_in_the_hold_is_missed_and_not_probed() {
    let mut bed = Bed::new();
    let ended = bed.start(LANE_THREADS);
    let expired = Task {
        expires_at: UnixMs(NOW),
        ..task(1, NOW - 10)
    };
    bed.put([expired]);
    wait_until("the task is given out", || bed.hold.size().0 == 0);
    bed.hold.close();
    timeout(PATIENCE, ended.wait()).await.unwrap();
    let results = bed.results.take();
    assert_eq!(results.len(), 1);
    let result = &results[0].result;
    assert_eq!(result.reason, Some(contract::outcome::Reason::Backlog));
    assert_eq!(result.measured, contract::result::Measured::default());
}

#[tokio::test]
async fn an_instant_beyond_all_reckoning_stops_no_thread() {
    let mut bed = Bed::new();
    let ended = bed.start(LANE_THREADS);
    let impossible = Task {
        expires_at: UnixMs(i64::MAX),
        ..task(1, i64::MIN)
    };
    bed.put([impossible]);
    wait_until("the task is given out", || bed.hold.size().0 == 0);
    bed.hold.close();
    timeout(PATIENCE + Duration::from_secs(1), ended.wait())
        .await
        .unwrap();
    assert_eq!(bed.results.take().len(), 1);
}
