//! A batch: messages that belong together, from when librdkafka has them until Kafka has told what became of each.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rdkafka::error::KafkaError;
use tokio::sync::Notify;

use super::error::PublishError;

/// Messages that belong together.
#[derive(Debug)]
pub struct Batch<Label> {
    /// The topic, for errors.
    topic: String,
    /// What a message is called in errors.
    message: &'static str,
    /// Messages handed to librdkafka and neither acknowledged nor failed.
    outstanding: AtomicUsize,
    /// Messages that Kafka acknowledged.
    acknowledged: AtomicUsize,
    /// Messages that are too large for the topic, each by itself.
    refused: Mutex<Vec<Refused<Label>>>,
    /// The first failure.
    failure: OnceLock<KafkaError>,
    /// Told whenever Kafka has told what became of a message.
    changed: Notify,
}

/// A message that Kafka refused for its size.
#[derive(Clone, Copy, Debug)]
pub struct Refused<Label> {
    /// Which it is.
    pub label: Label,
    /// Its bytes, before they are compressed.
    pub bytes: usize,
}

/// What became of the messages of a batch.
#[derive(Debug)]
pub struct Delivered<Label> {
    /// How many Kafka acknowledged.
    pub acknowledged: usize,
    /// Those that it refused for their size.
    pub refused: Vec<Refused<Label>>,
}

impl<Label> Batch<Label> {
    /// A batch without messages.
    pub(super) fn new(topic: &str, message: &'static str) -> Self {
        Self {
            topic: topic.to_owned(),
            message,
            outstanding: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            refused: Mutex::new(Vec::new()),
            failure: OnceLock::new(),
            changed: Notify::new(),
        }
    }

    /// A message is about to be handed to librdkafka; returns whether no other is under way.
    pub(super) fn start(&self) -> bool {
        self.outstanding.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// It was not taken after all.
    pub(super) fn take_back(&self) {
        self.outstanding.fetch_sub(1, Ordering::AcqRel);
    }

    /// Kafka has a message.
    pub(super) fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::AcqRel);
        self.end();
    }

    /// Kafka has not got a message, nor will it.
    pub(super) fn fail(&self, error: &KafkaError) {
        // Only the first failure is kept: the others follow from it.
        drop(self.failure.set(error.clone()));
        self.end();
    }

    /// Kafka does not take this message for its size.
    pub(super) fn refuse(&self, refused: Refused<Label>) {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(refused);
        self.end();
    }

    /// One message less is under way.
    fn end(&self) {
        self.take_back();
        self.changed.notify_waiters();
    }

    /// Told when Kafka has told what became of the next message.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// Waits until every message is acknowledged, or refused for its size.
    pub async fn acknowledged(&self) -> Result<Delivered<Label>, PublishError> {
        loop {
            let changed = self.changed.notified();
            self.check()?;
            if self.outstanding.load(Ordering::Acquire) == 0 {
                // A failure is noted before its message stops being outstanding.
                self.check()?;
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(Delivered {
                    acknowledged: self.acknowledged.load(Ordering::Acquire),
                    refused: std::mem::take(&mut refused),
                });
            }
            changed.await;
        }
    }

    /// The first failure, if any.
    pub(super) fn check(&self) -> Result<(), PublishError> {
        match self.failure.get() {
            Some(error) => Err(PublishError::undelivered(error, self.message, &self.topic)),
            None => Ok(()),
        }
    }
}
