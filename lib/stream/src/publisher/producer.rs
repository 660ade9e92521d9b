//! The producer: librdkafka, and the thread that serves its callbacks.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use color_eyre::eyre::{Result, WrapErr as _};
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Message as _},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig},
};
use runtime::broker::{Broker, weight};
use tokio::task::spawn_blocking;

use super::{
    batch::{Batch, Refused},
    error::is_oversized,
    settings::Settings,
};
use crate::{BrokerLog, client_config};

/// How long librdkafka tries to deliver a message.
const MESSAGE_TIMEOUT_MS: &str = "5000";
/// What librdkafka may hold of one batch; the sender waits when it is full. About two thousand small messages.
const QUEUE_KIB: &str = "512";
/// Requests that wait for Kafka at once. Each takes 64 KiB of memory and more, however small it is, as
/// lz4 is given room for a whole block.
const MAX_REQUESTS: &str = "8";
/// How long a message waits for others to share its request.
const LINGER_MS: &str = "5";
/// How long callbacks are served at a time while messages are under way. At the end of that the client spins for
/// a millisecond.
const POLL: Duration = Duration::from_millis(100);
/// How often they are served while none is: the client has its errors to tell.
const IDLE: Duration = Duration::from_secs(1);

/// A message as librdkafka takes it.
pub(super) type Record<'r, Label> = BaseRecord<'r, str, [u8], Arc<Batch<Label>>>;

/// A client of Kafka that sends.
pub(super) struct Producer<Label: Send + 'static> {
    /// librdkafka; a thread of ours serves its callbacks, as long as this lives.
    client: Arc<BaseProducer<Context<Label>>>,
    /// That thread.
    thread: thread::JoinHandle<()>,
}

impl<Label: Send + 'static> Producer<Label> {
    /// A producer that connects in the background, and goes on with a log.
    pub(super) fn new(settings: &Settings<Label>, log: Arc<BrokerLog>) -> Result<Self> {
        // Read once: what is larger than this, and only that, is alone in its request.
        let batch_bytes = settings.request_size.batch();
        let context = Context {
            log,
            broker: settings.broker.clone(),
            batch_bytes,
            label: settings.label,
        };
        let client: BaseProducer<Context<Label>> = client_settings(settings, batch_bytes)
            .create_with_context(context)
            .wrap_err("create a Kafka producer")?;
        let client = Arc::new(client);
        let served = Arc::downgrade(&client);
        let thread = thread::Builder::new()
            .name("acknowledgements".to_owned())
            .spawn(move || serve(&served))
            .wrap_err("start a thread for Kafka's acknowledgements")?;
        Ok(Self { client, thread })
    }

    /// What librdkafka has to say.
    pub(super) fn log(&self) -> Arc<BrokerLog> {
        Arc::clone(&self.client.context().log)
    }

    /// The most bytes of several messages in a request.
    pub(super) fn batch_bytes(&self) -> usize {
        self.client.context().batch_bytes
    }

    /// Hands a message to librdkafka.
    pub(super) fn send(&self, record: Record<'_, Label>) -> Result<(), RDKafkaErrorCode> {
        let sent = self.client.send(record);
        sent.map_err(|(error, _record)| {
            error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
        })
    }

    /// Has callbacks served from now on: a message is under way.
    pub(super) fn serve_now(&self) {
        self.thread.thread().unpark();
    }

    /// Forgets what it has not sent yet.
    pub(super) fn purge(&self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
    }

    /// Ends the thread, and librdkafka.
    pub(super) async fn close(self) {
        let Self { client, thread } = self;
        drop(client);
        thread.thread().unpark();
        drop(spawn_blocking(|| thread.join()).await);
    }
}

/// The settings of librdkafka.
fn client_settings<Label>(settings: &Settings<Label>, batch_bytes: usize) -> ClientConfig {
    let mut client = client_config(&settings.kafka, settings.client_id);
    client
        .set("acks", "all")
        .set("enable.idempotence", "false")
        .set("compression.type", settings.kafka.compression)
        .set("linger.ms", LINGER_MS)
        .set("message.timeout.ms", MESSAGE_TIMEOUT_MS)
        .set("queue.buffering.max.kbytes", QUEUE_KIB)
        .set("max.in.flight.requests.per.connection", MAX_REQUESTS)
        .set("batch.size", batch_bytes.to_string());
    client
}

/// Serves callbacks while there is a producer. While nothing is under way it waits by itself: waits in
/// librdkafka go by the wall clock, and last an hour longer when that is set back by an hour.
fn serve<Label: Send + 'static>(producer: &Weak<BaseProducer<Context<Label>>>) {
    while let Some(producer) = producer.upgrade() {
        let busy = producer.in_flight_count() > 0;
        producer.poll(if busy { POLL } else { Duration::ZERO });
        drop(producer);
        if !busy {
            thread::park_timeout(IDLE);
        }
    }
}

/// What librdkafka calls back. Called from C: holds no logic.
struct Context<Label> {
    /// What librdkafka has to say.
    log: Arc<BrokerLog>,
    /// The broker.
    broker: Broker,
    /// A larger message is in a request of its own.
    batch_bytes: usize,
    /// Reads from a payload which message it is.
    label: fn(&[u8]) -> Option<Label>,
}

impl<Label: Send + 'static> ClientContext for Context<Label> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }
}

impl<Label: Send + 'static> ProducerContext for Context<Label> {
    type DeliveryOpaque = Arc<Batch<Label>>;

    fn delivery(&self, result: &DeliveryResult<'_>, batch: Arc<Batch<Label>>) {
        let Err((error, message)) = result else {
            self.log.recovered();
            return batch.acknowledge();
        };
        if let Some(memory) = self.broker.memory() {
            memory.release(weight(message.payload_len()));
        }
        match self.refused(error, message.payload().unwrap_or_default()) {
            Some(refused) => batch.refuse(refused),
            None => batch.fail(error),
        }
    }
}

impl<Label> Context<Label> {
    /// The message that Kafka refuses for its own size, if that was it: it was alone in its request, and has a label.
    fn refused(&self, error: &KafkaError, payload: &[u8]) -> Option<Refused<Label>> {
        if !is_oversized(error) || payload.len() <= self.batch_bytes {
            return None;
        }
        Some(Refused {
            label: (self.label)(payload)?,
            bytes: payload.len(),
        })
    }
}
