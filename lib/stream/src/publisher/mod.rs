//! A publisher: batches of messages go to a topic, and each batch is told when every one of its messages is
//! acknowledged.
//!
//! The producer is not idempotent. A repeated message must do no harm (readers get each at least once anyway),
//! while an idempotent producer turns fatal, or has fresh messages acknowledged as duplicates, once a broker lost
//! its data.
//!
//! Acknowledgements come by delivery callback: `flush` would wait in steps of 100 ms. Each message
//! carries its batch, so that a late acknowledgement counts for no other batch.

mod batch;
mod error;
mod producer;
mod request_size;
mod reserved;
mod settings;

use std::{fmt, sync::Arc, time::Duration};

use color_eyre::eyre::Result;
use rdkafka::{
    error::RDKafkaErrorCode,
    message::{Header, OwnedHeaders},
    producer::BaseRecord,
};
use runtime::broker::weight;
use tokio::{task::spawn_blocking, time::timeout};

pub use self::{
    batch::{Batch, Delivered, Refused},
    error::{PublishError, SendError},
    request_size::RequestSize,
    settings::Settings,
};
use self::{
    producer::{Producer, Record},
    reserved::Reserved,
};
use crate::{BrokerLog, HEADER, Seal};

/// How long to wait before a full queue is looked at again, if nothing tells: a callback comes before its
/// message's room is free.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// Sends one batch at a time; see the module.
pub struct Publisher<Label: Send + 'static> {
    /// librdkafka.
    producer: Producer<Label>,
    /// Shows who wrote a message, where that is asked for.
    seal: Option<Seal>,
    /// How producers are made.
    settings: Settings<Label>,
}

impl<Label: Send + 'static> Publisher<Label> {
    /// A publisher for a topic; connects in the background.
    pub fn new(settings: Settings<Label>) -> Result<Self> {
        let log = Arc::new(BrokerLog::new("producer"));
        Ok(Self {
            producer: Producer::new(&settings, log)?,
            seal: Seal::of(&settings.kafka),
            settings,
        })
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.settings.kafka.topic
    }

    /// How much a request may carry.
    pub const fn request_size(&self) -> &RequestSize {
        &self.settings.request_size
    }

    /// A batch without messages.
    pub fn batch(&self) -> Arc<Batch<Label>> {
        Arc::new(Batch::new(self.topic(), self.settings.message))
    }

    /// Hands a message of a batch to librdkafka, waiting while its queue is full, or while the embedded broker has
    /// no room.
    pub async fn send(
        &self,
        batch: &Arc<Batch<Label>>,
        key: &str,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let reserved = Reserved::wait(&self.settings.broker, weight(payload.len())).await;
        loop {
            batch.check().map_err(SendError::Batch)?;
            // Asked for before sending, so that no acknowledgement in between goes unheard.
            let changed = batch.changed();
            match self.try_send(batch, key, payload) {
                Ok(()) => {
                    reserved.keep();
                    return Ok(());
                }
                Err(RDKafkaErrorCode::QueueFull) => drop(timeout(FULL_PAUSE, changed).await),
                Err(code) => {
                    return Err(SendError::of(code, self.settings.message, payload.len()));
                }
            }
        }
    }

    /// Forgets what it has not sent yet: a batch has failed, and another one will send it again.
    pub fn purge(&self) {
        self.producer.purge();
    }

    /// Whether requests are to be smaller or larger than those of this producer.
    pub fn is_outdated(&self) -> bool {
        self.producer.batch_bytes() != self.request_size().batch()
    }

    /// Kafka has refused a request of several messages for its size: from the next producer on they are smaller.
    pub fn shrink(&self) {
        self.request_size().shrink(self.producer.batch_bytes());
    }

    /// Takes another producer, after a batch that failed for one. What this one has not sent yet is forgotten; and it
    /// may never reach Kafka any more: librdkafka has been seen to lose all brokers, and to send nothing to a topic
    /// that was made anew.
    pub fn renew(&mut self) -> Result<()> {
        self.purge();
        let new = Producer::new(&self.settings, self.producer.log())?;
        let old = std::mem::replace(&mut self.producer, new);
        // Its end waits for Kafka, and nothing waits for its end.
        drop(spawn_blocking(move || drop(old)));
        Ok(())
    }

    /// Ends the producer: the process must not end with it at work.
    pub async fn close(self) {
        self.producer.close().await;
    }

    /// One attempt.
    fn try_send(
        &self,
        batch: &Arc<Batch<Label>>,
        key: &str,
        payload: &[u8],
    ) -> Result<(), RDKafkaErrorCode> {
        let record = BaseRecord::with_opaque_to(self.topic(), Arc::clone(batch));
        let record = self.sealed(record.key(key).payload(payload));
        // Counted first: the acknowledgement may be faster than this thread.
        let first = batch.start();
        let sent = self.producer.send(record);
        if first {
            self.producer.serve_now();
        }
        sent.inspect_err(|_| batch.take_back())
    }

    /// The same record with the header that shows who wrote it, where that is asked for.
    fn sealed<'r>(&self, record: Record<'r, Label>) -> Record<'r, Label> {
        let Some(seal) = &self.seal else {
            return record;
        };
        let tag = seal.sign(
            record.key.unwrap_or_default().as_bytes(),
            record.payload.unwrap_or_default(),
        );
        record.headers(OwnedHeaders::new_with_capacity(1).insert(Header {
            key: HEADER,
            value: Some(tag.as_ref()),
        }))
    }
}

impl<Label: Send + 'static> fmt::Debug for Publisher<Label> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("topic", &self.topic())
            .finish_non_exhaustive()
    }
}
