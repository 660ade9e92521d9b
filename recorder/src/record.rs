//! Record: results become rows of `check_result`, in batches, and none is ever dropped.
//!
//! A batch is one statement; the first row for an instant stays, but a check that was made replaces one
//! thought missed. While `PostgreSQL` is away the batch is tried again and the queue fills up. When the rows
//! are durable their positions are given back.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{outcome::Reason, result::CheckResult};
use runtime::{
    quota::Quota,
    retry::{Backoff, Outage},
};
use store::{
    Link,
    check_result::{self, Refusal},
};
use tokio::{sync::mpsc, time::timeout};
use tracing::error;

use crate::{
    finished::Finished,
    metrics::Metrics,
    results::{BATCH_ROWS, Results},
    rows,
};

/// How long results are collected.
const INTERVAL: Duration = Duration::from_millis(100);
/// The time for one statement.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// The first pause after a failure; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What else is done with results that are durable.
type OnDurable<P> = Box<dyn FnMut(&[Finished<P>]) + Send>;

/// Writes results; see the module.
pub struct Recorder<P> {
    /// Where the rows go.
    database: Link,
    /// Whether `PostgreSQL` takes results.
    outage: Outage,
    /// How much may be said of results that it refuses.
    quota: Quota,
    /// Where the results come from.
    results: Arc<Results<P>>,
    /// Where the positions of durable results go.
    done: mpsc::Sender<Vec<P>>,
    /// In a standalone, where recorded results are shown as well.
    feed: Option<mpsc::Sender<Vec<CheckResult>>>,
    /// What is counted.
    metrics: Metrics,
    /// What else is done with durable results, if anything.
    on_durable: Option<OnDurable<P>>,
}

impl<P: Copy> Recorder<P> {
    /// Records `results` and tells `done`, and `feed` if there is one. The connections of `database` have the
    /// [settings](rows::SETTINGS) of recording sessions.
    pub fn new(
        database: Link,
        results: Arc<Results<P>>,
        done: mpsc::Sender<Vec<P>>,
        feed: Option<mpsc::Sender<Vec<CheckResult>>>,
        metrics: Metrics,
    ) -> Self {
        Self {
            database,
            outage: Outage::new("PostgreSQL, which the results go to,"),
            quota: Quota::new(),
            results,
            done,
            feed,
            metrics,
            on_durable: None,
        }
    }

    /// The same, and this is called with all results that have become durable, before their positions are given
    /// back. It must not wait.
    #[must_use]
    pub fn on_durable(self, call: impl FnMut(&[Finished<P>]) + Send + 'static) -> Self {
        Self {
            on_durable: Some(Box::new(call)),
            ..self
        }
    }

    /// Records until `end`, after which no more results come, then what is left.
    pub async fn run(mut self, end: impl Future<Output = ()>) {
        let results = Arc::clone(&self.results);
        let mut end = std::pin::pin!(end);
        loop {
            let last = tokio::select! {
                () = &mut end => true,
                () = results.full_batch() => false,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            self.record(results.take()).await;
            if last {
                return;
            }
        }
    }

    /// Makes these results durable, however long it takes.
    async fn record(&mut self, mut finished: Vec<Finished<P>>) {
        // One order for all recorders, so that two of them cannot wait for each other.
        finished.sort_by_key(|finished| finished.result.check);
        for part in finished.chunks(BATCH_ROWS) {
            let batch = rows::distinct(part.iter().map(|finished| &finished.result));
            self.write(&batch).await;
            if let Some(call) = &mut self.on_durable {
                call(part);
            }
            if let Some(feed) = &self.feed {
                let shown = batch.into_iter().cloned().collect();
                // A reader that is slow does not hold up the recorder.
                drop(feed.try_send(shown));
            }
            let positions = part.iter().map(|finished| finished.position).collect();
            // The receiver is gone when the service stops: what it had read is read again, and found recorded.
            drop(self.done.send(positions).await);
        }
    }

    /// Writes a batch; one that is refused for its content is halved until the row is found.
    async fn write(&mut self, batch: &[&CheckResult]) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let Err(message) = self.write_patiently(part).await else {
                continue;
            };
            if let [refused] = part {
                self.write_unmeasured(refused, &message).await;
            } else {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
    }

    /// Writes a row that `PostgreSQL` refused without what may have offended it.
    async fn write_unmeasured(&mut self, refused: &CheckResult, message: &str) {
        let check = refused.check;
        self.metrics.refused.inc();
        self.quota.say(|left_out| {
            error!(
                site.id = check.site.0,
                scheduled_at = check.scheduled_at.0,
                left_out,
                "PostgreSQL refuses a result, it is recorded as inconclusive: {message}"
            );
        });
        let row = CheckResult::unmeasured(check, Reason::Internal)
            .with_detail("PostgreSQL refused the result");
        if let Err(message) = self.write_patiently(&[&row]).await {
            self.quota.say(|left_out| {
                error!(
                    site.id = check.site.0,
                    scheduled_at = check.scheduled_at.0,
                    left_out,
                    "PostgreSQL refuses even that, the result is lost: {message}"
                );
            });
        }
    }

    /// Writes a batch as soon as `PostgreSQL` takes it; the error is a refusal of its content.
    async fn write_patiently(&mut self, batch: &[&CheckResult]) -> Result<(), String> {
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
    async fn attempt(&mut self, batch: &[&CheckResult]) -> Result<(), Refusal> {
        let database = self.database.get().await;
        let database = database.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        for written in check_result::upsert(database, batch).await? {
            self.metrics.recorded(written);
        }
        Ok(())
    }
}

impl<P> fmt::Debug for Recorder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
