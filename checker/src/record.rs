//! Record: results become rows of `check_result`, in batches, and none is ever dropped.
//!
//! Lanes put results into a bounded collection that the recorder takes by the clock, so that a result
//! wakes nobody. A batch is one statement; the first row for an instant stays, but a check that was
//! made replaces one thought missed. While `PostgreSQL` is away the batch is tried again, the collection
//! fills up, the lanes wait, and intake pauses. When the rows are durable their positions go to the
//! ledger.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use color_eyre::eyre::Result;
use contract::{outcome::Reason, result::CheckResult};
use runtime::{
    quota::Quota,
    retry::{Backoff, Outage},
};
use store::{Link, Pool, config::DatabaseConfig};
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};
use tracing::error;

use crate::{
    lanes::Drained,
    ledger::Position,
    metrics::Metrics,
    rows::{self, Refusal},
    trace::{Times, Tracer},
};

/// How long results are collected.
const INTERVAL: Duration = Duration::from_millis(100);
/// The rows of one statement.
const BATCH_ROWS: usize = 2_000;
/// The most results that wait to be taken; lanes wait when there are more.
const MOST_WAITING: usize = 20_000;
/// The most that they may occupy, in bytes: as many with details of 130 bytes. A server may make long ones.
const MOST_WAITING_BYTES: usize = 8 << 20;
/// A collection grows by doubling, to so many bytes more.
const GROWTH_BYTES: usize = 6 << 20;
/// The most memory of results, in bytes: of those that wait, and of those that are being written.
pub(crate) const BYTES: usize = 2 * (MOST_WAITING_BYTES + GROWTH_BYTES);
/// The time for one statement.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// The first pause after a failure; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The recorder's connection.
const POOL: Pool = Pool {
    name: "webmon-checker recorder",
    connections: 1,
    settings: rows::SETTINGS,
};

/// A result, and the task that is done once it is durable.
#[derive(Debug)]
pub(crate) struct Finished {
    /// What becomes a row.
    pub(crate) result: CheckResult,
    /// The task's position.
    pub(crate) position: Position,
    /// When it went through which stage.
    pub(crate) times: Times,
}

impl Finished {
    /// What it occupies, in bytes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.result.detail.as_ref().map_or(0, String::capacity)
    }
}

/// A collection of results.
#[derive(Debug, Default)]
struct Waiting {
    /// The results.
    finished: Vec<Finished>,
    /// What they occupy, in bytes.
    bytes: usize,
}

impl Waiting {
    /// Whether there are too many.
    fn is_full(&self) -> bool {
        self.finished.len() >= MOST_WAITING || self.bytes >= MOST_WAITING_BYTES
    }
}

/// Results that wait to be taken.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The results.
    waiting: Mutex<Waiting>,
    /// Tells lanes that there is room again.
    room: Condvar,
    /// Tells the recorder that a batch is full.
    full: Notify,
}

impl Results {
    /// Adds a result; waits while there are too many.
    pub(crate) fn put(&self, finished: Finished) {
        let mut waiting = self.lock();
        while waiting.is_full() {
            waiting = self
                .room
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.add(waiting, [finished]);
    }

    /// Adds results without waiting: for intake, which must not stop polling. It asks
    /// [`Self::is_full`] before it reads on.
    pub(crate) fn put_now(&self, finished: impl IntoIterator<Item = Finished>) {
        self.add(self.lock(), finished);
    }

    /// Whether lanes have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().is_full()
    }

    /// How many results of checks that were not made may be added: lanes keep half of the room, so that
    /// those that were made need not wait.
    pub(crate) fn room_for_unmade(&self) -> usize {
        let waiting = self.lock();
        if waiting.bytes >= MOST_WAITING_BYTES / 2 {
            return 0;
        }
        (MOST_WAITING / 2).saturating_sub(waiting.finished.len())
    }

    /// Adds, and wakes the recorder when a batch has become full.
    fn add(
        &self,
        mut waiting: MutexGuard<'_, Waiting>,
        finished: impl IntoIterator<Item = Finished>,
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

    /// Takes everything that waits.
    pub(crate) fn take(&self) -> Vec<Finished> {
        let taken = std::mem::take(&mut *self.lock());
        self.room.notify_all();
        taken.finished
    }

    /// The collection; a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes results; see the module.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Where the rows go.
    database: Link,
    /// Whether `PostgreSQL` takes results.
    outage: Outage,
    /// How much may be said of results that it refuses.
    quota: Quota,
    /// Where the results come from.
    results: Arc<Results>,
    /// Where the positions of durable results go.
    done: mpsc::Sender<Vec<Position>>,
    /// In a standalone, where recorded results are shown as well.
    feed: Option<mpsc::Sender<Vec<CheckResult>>>,
    /// What is counted.
    metrics: Metrics,
    /// What makes spans, if there are any.
    tracer: Option<Tracer>,
}

impl Recorder {
    /// Records `results` and tells `done`, and `feed` if there is one.
    pub(crate) fn new(
        config: DatabaseConfig,
        results: Arc<Results>,
        done: mpsc::Sender<Vec<Position>>,
        feed: Option<mpsc::Sender<Vec<CheckResult>>>,
        metrics: Metrics,
    ) -> Self {
        let outage = Outage::new("PostgreSQL, which the results go to,");
        Self {
            database: Link::new(config, POOL),
            outage,
            quota: Quota::new(),
            results,
            done,
            feed,
            metrics,
            tracer: None,
        }
    }

    /// The same, and what becomes durable is traced.
    pub(crate) fn traced_by(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// Records until `drained` says that no more results come, then what is left.
    pub(crate) async fn run(mut self, drained: Drained) -> Result<()> {
        let results = Arc::clone(&self.results);
        let mut drained = std::pin::pin!(drained.wait());
        loop {
            let last = tokio::select! {
                () = &mut drained => true,
                () = results.full.notified() => false,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            self.record(results.take()).await;
            if last {
                return Ok(());
            }
        }
    }

    /// Makes these results durable, however long it takes.
    async fn record(&mut self, mut finished: Vec<Finished>) {
        // One order for all recorders, so that two of them cannot wait for each other.
        finished.sort_by_key(|finished| (finished.result.site_id, finished.result.scheduled_at));
        while !finished.is_empty() {
            let rest = finished.split_off(finished.len().min(BATCH_ROWS));
            let positions = finished.iter().map(|finished| finished.position).collect();
            let traced = self.tracer.as_ref().map(|tracer| tracer.pick(&finished));
            let batch = rows::distinct(finished.into_iter().map(|finished| finished.result));
            let shown = self.feed.as_ref().map(|feed| (feed.clone(), batch.clone()));
            self.write(batch).await;
            if let Some((tracer, traced)) = self.tracer.as_ref().zip(traced) {
                tracer.recorded(traced);
            }
            if let Some((feed, batch)) = shown {
                // Whoever looks on does not hold up the recorder.
                drop(feed.try_send(batch));
            }
            // Intake is gone when this checker stops: the tasks will be read again, and found recorded.
            drop(self.done.send(positions).await);
            finished = rest;
        }
    }

    /// Writes a batch; one that is refused for its content is halved until the row is found.
    async fn write(&mut self, batch: Vec<CheckResult>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            if let Err(message) = self.write_patiently(&part).await {
                let half = part.split_off(part.len() / 2);
                if part.is_empty() {
                    self.write_unmeasured(half, &message).await;
                } else {
                    parts.push(half);
                    parts.push(part);
                }
            }
        }
    }

    /// Writes a row that `PostgreSQL` refused without what may have offended it.
    async fn write_unmeasured(&mut self, refused: Vec<CheckResult>, message: &str) {
        for CheckResult {
            site_id,
            scheduled_at,
            ..
        } in refused
        {
            self.metrics.refused.inc();
            self.quota.say(|left_out| {
                error!(
                    site.id = site_id,
                    scheduled_at,
                    left_out,
                    "PostgreSQL refuses a result, it is recorded as inconclusive: {message}"
                );
            });
            let row = CheckResult::unmeasured(site_id, scheduled_at, Reason::Internal)
                .with_detail("PostgreSQL refused the result");
            if let Err(message) = self.write_patiently(&[row]).await {
                self.quota.say(|left_out| {
                    error!(
                        site.id = site_id,
                        scheduled_at,
                        left_out,
                        "PostgreSQL refuses even that, the result is lost: {message}"
                    );
                });
            }
        }
    }

    /// Writes a batch as soon as `PostgreSQL` takes it; the error is a refusal of its content.
    async fn write_patiently(&mut self, batch: &[CheckResult]) -> Result<(), String> {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let started = Instant::now();
            let attempt = timeout(STATEMENT_LIMIT, self.attempt(batch)).await;
            let message = match attempt {
                Ok(Ok(())) => {
                    self.metrics
                        .record_seconds
                        .observe(started.elapsed().as_secs_f64());
                    self.outage.over();
                    return Ok(());
                }
                Ok(Err(Refusal::Content(message))) => return Err(message),
                Ok(Err(Refusal::Unavailable(message))) => message,
                Err(_) => format!("no answer within {STATEMENT_LIMIT:?}"),
            };
            self.database.cut();
            self.metrics.record_failed.inc();
            self.outage.failed(&message);
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    /// Writes a batch once, making missing days.
    async fn attempt(&mut self, batch: &[CheckResult]) -> Result<(), Refusal> {
        let database = self.database.get().await;
        let database = database.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        for written in rows::upsert(database, batch).await? {
            self.metrics.recorded(written);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
