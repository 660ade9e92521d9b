//! Publish: tasks go to Kafka, and a turn waits until every one of its tasks is acknowledged.
//!
//! The producer is not idempotent. A repeated task does no harm (the primary key of `check_result`
//! makes its effect once), while an idempotent producer turns fatal, or has fresh tasks acknowledged
//! as duplicates, once a broker lost its data.
//!
//! Acknowledgements come by delivery callback: `flush` would wait in steps of 100 ms. Each message
//! carries the batch of its turn, so that a late acknowledgement counts for no other turn.

use std::{
    fmt,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use color_eyre::eyre::{Report, Result, WrapErr as _, eyre};
use contract::{installation::Installation, task::Task};
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, Message as _, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig},
};
use runtime::broker::{Broker, weight};
use serde_json::value::RawValue;
use stream::{BrokerLog, HEADER, Seal, config::KafkaConfig};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{batch::Batch, reserved::Reserved, room::Room};

/// How long librdkafka tries to deliver a task; a turn as a whole has twice as long.
const MESSAGE_TIMEOUT_MS: &str = "5000";
/// What librdkafka may hold of one turn; the turn waits when it is full. About two thousand small tasks.
const QUEUE_KIB: &str = "512";
/// Requests that wait for Kafka at once. Each takes 64 KiB of memory and more, however small it is, as
/// lz4 is given room for a whole block.
const MAX_REQUESTS: &str = "8";
/// How long a task waits for others to share its request: little against the horizon.
const LINGER_MS: &str = "5";
/// How long callbacks are served at a time while tasks are under way. At the end of that the client spins for
/// a millisecond.
const POLL: Duration = Duration::from_millis(100);
/// How often they are served while none is: the client has its errors to tell.
const IDLE: Duration = Duration::from_secs(1);
/// How long to wait before a full queue is looked at again, if nobody tells: a callback comes before its
/// message's room is free.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// Sends the tasks of one turn at a time.
pub(crate) struct Publisher {
    /// librdkafka; a thread of ours serves its callbacks, as long as this lives.
    producer: Arc<BaseProducer<Context>>,
    /// That thread.
    thread: thread::JoinHandle<()>,
    /// `kafka.topic`.
    topic: String,
    /// Shows who wrote a message, where that is asked for.
    seal: Option<Seal>,
    /// Who sends.
    sender: Sender,
}

/// What all producers of a scheduler have in common.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// Whose tasks these are.
    pub(crate) installation: Installation,
    /// The broker.
    pub(crate) broker: Broker,
    /// How much a request may carry.
    pub(crate) room: Room,
}

/// A message as librdkafka takes it.
type Record<'r> = BaseRecord<'r, str, [u8], Arc<Batch>>;

/// A task as the scheduler writes it: everything borrowed from the row.
pub(crate) type NewTask<'a> = Task<&'a str, &'a RawValue>;

/// Why a task was not sent.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The task itself cannot be sent; others can.
    Task(String),
    /// The turn has failed.
    Turn(Report),
}

impl Publisher {
    /// A producer for `config.topic`; connects in the background.
    pub(crate) fn new(config: &KafkaConfig, sender: Sender) -> Result<Self> {
        Self::with_log(config, sender, Arc::new(BrokerLog::new("producer")))
    }

    /// The same, going on with a log.
    fn with_log(config: &KafkaConfig, sender: Sender, log: Arc<BrokerLog>) -> Result<Self> {
        let mut client: ClientConfig = stream::client_config(config, "webmon-scheduler");
        client
            .set("acks", "all")
            .set("enable.idempotence", "false")
            .set("compression.type", config.compression)
            .set("linger.ms", LINGER_MS)
            .set("message.timeout.ms", MESSAGE_TIMEOUT_MS)
            .set("queue.buffering.max.kbytes", QUEUE_KIB)
            .set("max.in.flight.requests.per.connection", MAX_REQUESTS);
        // Read once: what is larger than this, and only that, is alone in its request.
        let batch_bytes = sender.room.batch();
        client.set("batch.size", batch_bytes.to_string());
        let context = Context {
            log,
            broker: sender.broker.clone(),
            batch_bytes,
        };
        let producer: BaseProducer<Context> = client
            .create_with_context(context)
            .wrap_err("create a Kafka producer")?;
        let producer = Arc::new(producer);
        let served = Arc::downgrade(&producer);
        let thread = thread::Builder::new()
            .name("acknowledgements".to_owned())
            .spawn(move || serve(&served))
            .wrap_err("start a thread for Kafka's acknowledgements")?;
        Ok(Self {
            producer,
            thread,
            topic: config.topic.clone(),
            seal: Seal::of(config),
            sender,
        })
    }

    /// Whose tasks these are.
    pub(crate) const fn installation(&self) -> Installation {
        self.sender.installation
    }

    /// `kafka.topic`.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// How much a request may carry.
    pub(crate) const fn room(&self) -> &Room {
        &self.sender.room
    }

    /// Forgets what it has not sent yet: a turn has failed, and another one will send it again.
    pub(crate) fn purge(&self) {
        self.producer
            .purge(PurgeConfig::default().queue().inflight());
    }

    /// Whether requests are to be smaller or larger than those of this producer.
    pub(crate) fn is_outdated(&self) -> bool {
        self.producer.context().batch_bytes != self.sender.room.batch()
    }

    /// Kafka has refused a request of several tasks for its size: from the next producer on they are smaller.
    pub(crate) fn shrink(&self) {
        self.sender.room.shrink(self.producer.context().batch_bytes);
    }

    /// Takes another producer, after a turn that failed for one. What this one has not sent yet is forgotten; and it
    /// may never reach Kafka any more: librdkafka has been seen to lose all brokers, and to send nothing to a topic
    /// that was made anew.
    pub(crate) fn renew(&mut self, config: &KafkaConfig) -> Result<()> {
        self.purge();
        let log = Arc::clone(&self.producer.context().log);
        let new = Self::with_log(config, self.sender.clone(), log)?;
        let old = std::mem::replace(self, new);
        // Its end waits for Kafka, and nobody waits for its end.
        drop(spawn_blocking(move || drop(old)));
        Ok(())
    }

    /// Hands a task to librdkafka, waiting while its queue is full.
    pub(crate) async fn send(
        &self,
        batch: &Arc<Batch>,
        task: &NewTask<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        buffer.clear();
        task.encode(buffer)
            .map_err(|error| Refused::Task(format!("cannot be encoded: {error}")))?;
        let reserved = Reserved::wait(&self.sender.broker, weight(buffer.len())).await;
        let key = task.site_id.to_string();
        loop {
            batch.check(&self.topic).map_err(Refused::Turn)?;
            // Asked for before sending, so that no acknowledgement in between goes unheard.
            let changed = batch.changed();
            match self.try_send(batch, &key, buffer) {
                Ok(()) => {
                    reserved.keep();
                    return Ok(());
                }
                Err(RDKafkaErrorCode::QueueFull) => drop(timeout(FULL_PAUSE, changed).await),
                Err(code) => return Err(refusal(code, buffer.len())),
            }
        }
    }

    /// One attempt.
    fn try_send(
        &self,
        batch: &Arc<Batch>,
        key: &str,
        payload: &[u8],
    ) -> Result<(), RDKafkaErrorCode> {
        // Counted first: the acknowledgement may be faster than this thread.
        let first = batch.start();
        let record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(batch));
        let record = self.sealed(record.key(key).payload(payload));
        let sent = self.producer.send(record);
        if first {
            self.thread.thread().unpark();
        }
        sent.map_err(|(error, _record)| {
            batch.take_back();
            error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
        })
    }

    /// The same record with the header that shows who wrote it, where that is asked for.
    fn sealed<'r>(&self, record: Record<'r>) -> Record<'r> {
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

    /// Ends the producer: the process must not end with it at work.
    pub(crate) async fn close(self) {
        drop(self.producer);
        self.thread.thread().unpark();
        drop(spawn_blocking(|| self.thread.join()).await);
    }
}

/// Serves callbacks while somebody has the producer. While nothing is under way it waits by itself: waits in
/// librdkafka go by the wall clock, and last an hour longer when that is set back by an hour.
fn serve(producer: &Weak<BaseProducer<Context>>) {
    while let Some(producer) = producer.upgrade() {
        let busy = producer.in_flight_count() > 0;
        producer.poll(if busy { POLL } else { Duration::ZERO });
        drop(producer);
        if !busy {
            thread::park_timeout(IDLE);
        }
    }
}

/// Tells the fault of one task from that of all.
fn refusal(code: RDKafkaErrorCode, bytes: usize) -> Refused {
    if code == RDKafkaErrorCode::MessageSizeTooLarge {
        Refused::Task(format!("{bytes} bytes are more than Kafka takes"))
    } else {
        Refused::Turn(eyre!(KafkaError::MessageProduction(code)).wrap_err("hand a task to Kafka"))
    }
}

/// What librdkafka calls back. Called from C: holds no logic.
struct Context {
    /// What librdkafka has to say.
    log: Arc<BrokerLog>,
    /// The broker.
    broker: Broker,
    /// A larger task is in a request of its own.
    batch_bytes: usize,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Batch>;

    fn delivery(&self, result: &DeliveryResult<'_>, batch: Arc<Batch>) {
        let Err((error, message)) = result else {
            self.log.recovered();
            return batch.acknowledge();
        };
        if let Some(memory) = self.broker.memory() {
            memory.release(weight(message.payload_len()));
        }
        match message.payload() {
            Some(payload) if is_oversized(error) && payload.len() > self.batch_bytes => {
                batch.refuse(error, payload);
            }
            _ => batch.fail(error),
        }
    }
}

/// Whether Kafka refused a request for its size.
pub(crate) fn is_oversized(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
