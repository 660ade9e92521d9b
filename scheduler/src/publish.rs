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
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use color_eyre::eyre::{Report, Result, WrapErr as _, eyre};
use contract::{installation::Installation, task::Task};
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig},
};
use runtime::{
    backlog::{Backlog, weight},
    config::KafkaConfig,
    kafka::{BrokerLog, HEADER, Seal},
};
use serde_json::value::RawValue;
use tokio::{sync::Notify, task::spawn_blocking, time::timeout};

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
    /// In a standalone, the bound of the embedded broker.
    pub(crate) backlog: Option<Arc<Backlog>>,
}

/// The tasks of one turn.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Tasks handed to librdkafka and neither acknowledged nor failed.
    outstanding: AtomicUsize,
    /// Tasks that Kafka acknowledged.
    acknowledged: AtomicUsize,
    /// The first failure.
    failure: OnceLock<KafkaError>,
    /// Told of every delivery that someone may wait for.
    changed: Notify,
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
        let mut client: ClientConfig = runtime::kafka::client_config(config, "webmon-scheduler");
        client
            .set("acks", "all")
            .set("enable.idempotence", "false")
            .set("compression.type", "lz4")
            .set("linger.ms", LINGER_MS)
            .set("message.timeout.ms", MESSAGE_TIMEOUT_MS)
            .set("queue.buffering.max.kbytes", QUEUE_KIB)
            .set("max.in.flight.requests.per.connection", MAX_REQUESTS);
        let context = Context {
            log,
            backlog: sender.backlog.clone(),
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

    /// Takes another producer, after a turn that failed for one. What this one has not sent yet is forgotten, as
    /// another turn will send it again; and it may never reach Kafka any more: librdkafka has been seen to lose all
    /// brokers, and to send nothing to a topic that was made anew.
    pub(crate) fn renew(&mut self, config: &KafkaConfig) -> Result<()> {
        self.producer
            .purge(PurgeConfig::default().queue().inflight());
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
        let reserved = Reserved::wait(self.sender.backlog.as_deref(), weight(buffer.len())).await;
        let key = task.site_id.to_string();
        loop {
            batch.check().map_err(Refused::Turn)?;
            // Asked for before sending, so that no acknowledgement in between goes unheard.
            let changed = batch.changed.notified();
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
        let first = batch.outstanding.fetch_add(1, Ordering::AcqRel) == 0;
        let record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(batch));
        let record = self.sealed(record.key(key).payload(payload));
        let sent = self.producer.send(record);
        if first {
            self.thread.thread().unpark();
        }
        sent.map_err(|(error, _record)| {
            batch.outstanding.fetch_sub(1, Ordering::AcqRel);
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

impl Batch {
    /// Waits until Kafka has acknowledged every task, and returns how many there were.
    pub(crate) async fn settled(&self) -> Result<usize> {
        loop {
            let changed = self.changed.notified();
            self.check()?;
            if self.outstanding.load(Ordering::Acquire) == 0 {
                // A failure is noted before its task stops being outstanding.
                self.check()?;
                return Ok(self.acknowledged.load(Ordering::Acquire));
            }
            changed.await;
        }
    }

    /// The first failure, if any.
    fn check(&self) -> Result<()> {
        match self.failure.get() {
            None => Ok(()),
            Some(error) => Err(eyre!(error.clone()).wrap_err("deliver a task to Kafka")),
        }
    }
}

/// Bytes of a standalone's backlog that are given back unless their task is on its way, however its turn ends.
struct Reserved<'b> {
    /// The backlog, if there is one.
    backlog: Option<&'b Backlog>,
    /// How many.
    bytes: usize,
}

impl<'b> Reserved<'b> {
    /// Waits until there is room for so many bytes.
    async fn wait(backlog: Option<&'b Backlog>, bytes: usize) -> Self {
        if let Some(backlog) = backlog {
            backlog.reserve(bytes).await;
        }
        Self { backlog, bytes }
    }

    /// The task is on its way.
    fn keep(mut self) {
        self.backlog = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(backlog) = self.backlog {
            backlog.release(self.bytes);
        }
    }
}

/// What librdkafka calls back. Called from C: holds no logic.
struct Context {
    /// What librdkafka has to say.
    log: Arc<BrokerLog>,
    /// In a standalone, the bound of the embedded broker.
    backlog: Option<Arc<Backlog>>,
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
        match result {
            Ok(_) => {
                self.log.recovered();
                batch.acknowledged.fetch_add(1, Ordering::AcqRel);
            }
            Err((error, message)) => {
                if let Some(backlog) = &self.backlog {
                    backlog.release(weight(message.payload_len()));
                }
                // Only the first failure is kept: the others follow from it.
                drop(batch.failure.set(error.clone()));
            }
        }
        batch.outstanding.fetch_sub(1, Ordering::AcqRel);
        batch.changed.notify_waiters();
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
