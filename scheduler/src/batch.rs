//! Batch: the tasks of one turn, from when librdkafka has them until Kafka has told what became of each.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use color_eyre::eyre::{Result, eyre};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde::Deserialize;
use stream::{Act, lacking_right};
use tokio::sync::Notify;

/// The tasks of one turn.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Tasks handed to librdkafka and neither acknowledged nor failed.
    outstanding: AtomicUsize,
    /// Tasks that Kafka acknowledged.
    acknowledged: AtomicUsize,
    /// Tasks that are too large for the topic, each by itself.
    oversized: Mutex<Vec<Oversized>>,
    /// The first failure.
    failure: OnceLock<KafkaError>,
    /// Told of every delivery that someone may wait for.
    changed: Notify,
}

/// A task that Kafka refused for its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oversized {
    /// `site.id`.
    pub(crate) site_id: i64,
    /// The instant, in milliseconds since the Unix epoch.
    pub(crate) scheduled_at: i64,
    /// Its bytes, before they are compressed.
    pub(crate) bytes: usize,
}

/// What became of the tasks of a turn.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// How many Kafka acknowledged.
    pub(crate) tasks: usize,
    /// Those that it refused for their size.
    pub(crate) oversized: Vec<Oversized>,
}

/// What of a task's message says which it is.
#[derive(Deserialize)]
struct Head {
    /// `site.id`.
    site_id: i64,
    /// The instant.
    scheduled_at: i64,
}

impl Batch {
    /// A task is about to be handed to librdkafka; returns whether no other is under way.
    pub(crate) fn start(&self) -> bool {
        self.outstanding.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// It was not taken after all.
    pub(crate) fn take_back(&self) {
        self.outstanding.fetch_sub(1, Ordering::AcqRel);
    }

    /// Kafka has a task.
    pub(crate) fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::AcqRel);
        self.end();
    }

    /// Kafka has not got a task, nor will it.
    pub(crate) fn fail(&self, error: &KafkaError) {
        // Only the first failure is kept: the others follow from it.
        drop(self.failure.set(error.clone()));
        self.end();
    }

    /// Kafka does not take this message, which was in a request of its own, for its size. What is no task of ours
    /// fails the turn.
    pub(crate) fn refuse(&self, error: &KafkaError, message: &[u8]) {
        let Ok(Head {
            site_id,
            scheduled_at,
        }) = serde_json::from_slice(message)
        else {
            return self.fail(error);
        };
        let oversized = Oversized {
            site_id,
            scheduled_at,
            bytes: message.len(),
        };
        let mut all = self
            .oversized
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(oversized);
        drop(all);
        self.end();
    }

    /// One task less is under way.
    fn end(&self) {
        self.take_back();
        self.changed.notify_waiters();
    }

    /// Told of the next task that ends.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// Waits until Kafka has told of every task; the topic is for the error.
    pub(crate) async fn settled(&self, topic: &str) -> Result<Delivered> {
        loop {
            let changed = self.changed.notified();
            self.check(topic)?;
            if self.outstanding.load(Ordering::Acquire) == 0 {
                // A failure is noted before its task stops being outstanding.
                self.check(topic)?;
                let mut oversized = self
                    .oversized
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                return Ok(Delivered {
                    tasks: self.acknowledged.load(Ordering::Acquire),
                    oversized: std::mem::take(&mut oversized),
                });
            }
            changed.await;
        }
    }

    /// The first failure, if any.
    pub(crate) fn check(&self, topic: &str) -> Result<()> {
        let Some(error) = self.failure.get() else {
            return Ok(());
        };
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let report = eyre!(error.clone());
        Err(match lacking_right(code, Act::Write, topic, "") {
            Some(lack) => report.wrap_err(lack.to_string()),
            None => report.wrap_err(format!("deliver a task to topic {topic}")),
        })
    }
}
