//! The consumer: what intake asks of Kafka, and the only file that knows rdkafka's consumer.
//!
//! Callbacks come from C, on the thread that polls: they only note what happened, and
//! [`Consumer::poll`] hands it on before the message that came with it.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::{self, Thread},
    time::Duration,
};

use color_eyre::eyre::{Result, WrapErr as _};
use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
    topic_partition_list::TopicPartitionListElem,
};
use runtime::broker::Broker;
use stream::{
    Act, BrokerLog, Lack, STATISTICS_INTERVAL_MS, Stranded, config::KafkaConfig, lacking_right,
};
use tracing::{debug, warn};

/// How long a broker may keep a request for tasks waiting: a broker of Kafka's answers at once when
/// there are some, the embedded one does not.
const FETCH_WAIT_MS: [&str; 2] = ["500", "10"];

/// What librdkafka may read ahead, in KiB: it belongs into the hold, which is bounded in bytes.
const QUEUED_KIB: usize = 4 << 10;
/// The most bytes of one answer of a broker, but for a single longer message. By default an answer may have 50 MiB.
const FETCH_BYTES: usize = 4 << 20;
/// So many brokers' answers are reckoned with at a time.
const BROKERS: usize = 3;
/// The most memory of what was read ahead, in bytes.
pub(crate) const BYTES: usize = (QUEUED_KIB << 10) + BROKERS * FETCH_BYTES;

/// A member of the checkers' group.
pub(crate) struct Consumer {
    /// librdkafka.
    client: BaseConsumer<Context>,
    /// The thread that waits for something to poll. It waits by itself: waits in librdkafka go by the wall
    /// clock, and last an hour longer when that is set back by an hour.
    waiting: Arc<OnceLock<Thread>>,
    /// `kafka.topic`.
    topic: String,
    /// `kafka.group`.
    group: String,
}

/// What one poll brought.
#[derive(Default)]
pub(crate) struct Polled<'a> {
    /// Changes of the assignment, to be applied before the message.
    pub(crate) rebalances: Vec<Assignment>,
    /// A message, if there was one.
    pub(crate) message: Option<Message<'a>>,
    /// A right that lacks, if Kafka refused something for it.
    pub(crate) lack: Option<Lack>,
}

/// A message as it stands in librdkafka's memory.
pub(crate) struct Message<'a>(BorrowedMessage<'a>);

/// A change of the assignment.
pub(crate) enum Assignment {
    /// These partitions are new.
    Given(Vec<i32>),
    /// These partitions are gone.
    Taken(Vec<i32>),
}

impl Assignment {
    /// The partitions that change hands.
    pub(crate) fn partitions(&self) -> &[i32] {
        match self {
            Self::Given(partitions) | Self::Taken(partitions) => partitions,
        }
    }
}

impl Message<'_> {
    /// Its partition.
    pub(crate) fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// Its offset in the partition.
    pub(crate) fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// Its key.
    pub(crate) fn key(&self) -> &[u8] {
        self.0.key().unwrap_or_default()
    }

    /// The values of its headers of this name.
    pub(crate) fn headers<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m [u8]> {
        let headers = self.0.headers().into_iter().flat_map(Headers::iter);
        headers
            .filter(move |header| header.key == name)
            .map(|header| header.value.unwrap_or_default())
    }

    /// Its bytes.
    pub(crate) fn payload(&self) -> &[u8] {
        self.0.payload().unwrap_or_default()
    }
}

impl Consumer {
    /// Joins the group.
    pub(crate) fn join(config: &KafkaConfig, broker: &Broker) -> Result<Self> {
        Self::with_log(config, broker, Arc::new(BrokerLog::new("consumer")))
    }

    /// Another one, which joins the group in place of this one and goes on with its log.
    pub(crate) fn again(&self, config: &KafkaConfig, broker: &Broker) -> Result<Self> {
        Self::with_log(config, broker, Arc::clone(&self.client.context().log))
    }

    /// Joins the group, going on with a log.
    fn with_log(config: &KafkaConfig, broker: &Broker, log: Arc<BrokerLog>) -> Result<Self> {
        let [patient, impatient] = FETCH_WAIT_MS;
        let mut client: ClientConfig = stream::client_config(config, "webmon-checker");
        client
            .set("group.id", &config.group)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            // Intake polls ten times a second. So long an answer to joining may take, and three seconds more,
            // before it is asked for again: five minutes else, when its connection has gone silent.
            .set("max.poll.interval.ms", "20000")
            // A hand-over takes as long as the slowest member's next heartbeat.
            .set("heartbeat.interval.ms", "300")
            .set("queued.max.messages.kbytes", QUEUED_KIB.to_string())
            .set("fetch.max.bytes", FETCH_BYTES.to_string())
            .set("queued.min.messages", "1000")
            .set("fetch.queue.backoff.ms", "10")
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS)
            .set(
                "fetch.wait.max.ms",
                if broker.is_embedded() {
                    impatient
                } else {
                    patient
                },
            );
        let context = Context {
            log,
            stranded: Stranded::default(),
            rebalances: Mutex::default(),
        };
        let mut client: BaseConsumer<Context> = client
            .create_with_context(context)
            .wrap_err("create a Kafka consumer")?;
        let waiting = Arc::<OnceLock<Thread>>::default();
        let waits = Arc::clone(&waiting);
        client.set_nonempty_callback(move || {
            if let Some(thread) = waits.get() {
                thread.unpark();
            }
        });
        client
            .subscribe(&[&config.topic])
            .wrap_err_with(|| format!("subscribe to the topic {}", config.topic))?;
        Ok(Self {
            client,
            waiting,
            topic: config.topic.clone(),
            group: config.group.clone(),
        })
    }

    /// `kafka.topic`.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// Waits until there may be something to poll, at most so long; always on the same thread.
    pub(crate) fn wait(&self, limit: Duration) {
        self.waiting.get_or_init(thread::current);
        thread::park_timeout(limit);
    }

    /// Serves Kafka once, without waiting.
    pub(crate) fn poll(&self) -> Polled<'_> {
        let polled = self.client.poll(Duration::ZERO);
        let context = self.client.context();
        let rebalances = std::mem::take(
            &mut *context
                .rebalances
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let (message, lack) = match polled {
            Some(Ok(message)) => {
                context.log.recovered();
                (Some(Message(message)), None)
            }
            Some(Err(error)) => {
                // Said once by the log of the client, which hears of it too.
                debug!("cannot read tasks, trying on: {error}");
                (None, self.lack(&error))
            }
            None => (None, None),
        };
        Polled {
            rebalances,
            message,
            lack,
        }
    }

    /// The right that lacks, if that is the error.
    fn lack(&self, error: &KafkaError) -> Option<Lack> {
        let code = error.rdkafka_error_code()?;
        lacking_right(code, Act::Read, &self.topic, &self.group)
    }

    /// Commits these offsets by partition, in the background.
    pub(crate) fn commit(&self, commits: &[(i32, i64)]) {
        let mut offsets = TopicPartitionList::with_capacity(commits.len());
        for &(partition, offset) in commits {
            let added =
                offsets.add_partition_offset(&self.topic, partition, Offset::Offset(offset));
            if let Err(error) = added {
                debug!(
                    kafka.partition = partition,
                    "cannot commit the offset {offset}: {error}"
                );
            }
        }
        if let Err(error) = self.client.commit(&offsets, CommitMode::Async) {
            debug!("cannot commit offsets, they are committed later: {error}");
        }
    }

    /// Pauses or resumes these partitions.
    pub(crate) fn set_paused(&self, partitions: impl Iterator<Item = i32>, paused: bool) {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        let done = if paused {
            self.client.pause(&list)
        } else {
            self.client.resume(&list)
        };
        if let Err(error) = done {
            warn!(
                "cannot {} partitions: {error}",
                if paused { "pause" } else { "resume" }
            );
        }
    }

    /// Whether it has lost all brokers for good: another one has to take its place.
    pub(crate) fn is_stranded(&self) -> bool {
        self.client.context().stranded.is_so()
    }

    /// Asks to leave the group; the revocation comes with one of the next polls.
    pub(crate) fn leave(&self) {
        self.client.unsubscribe();
    }
}

/// What librdkafka calls back.
struct Context {
    /// What librdkafka has to say.
    log: Arc<BrokerLog>,
    /// Whether librdkafka knows no broker any more.
    stranded: Stranded,
    /// Changes of the assignment that were served and not handed on yet.
    rebalances: Mutex<Vec<Assignment>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.stranded.look(statistics);
    }
}

impl ConsumerContext for Context {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let numbers = |list: &TopicPartitionList| {
            list.elements()
                .iter()
                .map(TopicPartitionListElem::partition)
                .collect()
        };
        let change = match rebalance {
            Rebalance::Assign(partitions) => Assignment::Given(numbers(partitions)),
            Rebalance::Revoke(partitions) => Assignment::Taken(numbers(partitions)),
            Rebalance::Error(_) => return,
        };
        self.rebalances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }
}
