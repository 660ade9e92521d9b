//! The consumer: what a subscription asks of Kafka, by rdkafka's consumer.
//!
//! [Callbacks](super::callbacks) note changes of the assignment, and [`Consumer::poll`] returns them together with
//! the message that came after them.

use std::{
    sync::{Arc, OnceLock},
    thread::{self, Thread},
    time::Duration,
};

use color_eyre::eyre::{Result, WrapErr as _};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
};
use runtime::broker::Broker;
use tracing::{debug, warn};

use super::{
    callbacks::{Callbacks, Change},
    message::Message,
    settings::Settings,
};
use crate::{
    Act, BrokerLog, Lack, STATISTICS_INTERVAL_MS, client_config, config::KafkaConfig, lacking_right,
};

/// How long a broker of Kafka's may keep a request for messages waiting: it answers at once when there are some.
const FETCH_WAIT_MS: &str = "500";
/// The same for the embedded broker, which does not.
const EMBEDDED_FETCH_WAIT_MS: &str = "10";

/// What librdkafka may read ahead, in KiB: little, as the service that reads has a bound of its own.
const QUEUED_KIB: usize = 4 << 10;
/// The most bytes of one answer of a broker, but for a single longer message. By default an answer may have 50 MiB.
const FETCH_BYTES: usize = 4 << 20;
/// So many brokers' answers are reckoned with at a time.
const BROKERS: usize = 3;
/// The most memory of what a subscription has read ahead, in bytes.
pub const MEMORY_BYTES: usize = (QUEUED_KIB << 10) + BROKERS * FETCH_BYTES;

/// A client of Kafka that is a member of a group.
pub(super) struct Consumer {
    /// librdkafka.
    client: BaseConsumer<Callbacks>,
    /// The thread that waits for something to poll. It waits by itself: waits in librdkafka go by the wall
    /// clock, and last an hour longer when that is set back by an hour.
    waiting: Arc<OnceLock<Thread>>,
    /// What it reads.
    settings: Settings,
}

/// What one poll brought.
#[derive(Default)]
pub(super) struct Polled<'a> {
    /// Changes of the assignment, to be applied before the message.
    pub(super) rebalances: Vec<Change>,
    /// A message, if there was one.
    pub(super) message: Option<Message<'a>>,
    /// A right that lacks, if Kafka refused something for it.
    pub(super) lack: Option<Lack>,
}

impl Consumer {
    /// Joins the group.
    pub(super) fn join(settings: Settings) -> Result<Self> {
        Self::with_log(settings, Arc::new(BrokerLog::new("consumer")))
    }

    /// Another one, which joins the group in place of this one and goes on with its log.
    pub(super) fn again(&self) -> Result<Self> {
        Self::with_log(
            self.settings.clone(),
            Arc::clone(&self.client.context().log),
        )
    }

    /// Joins the group, going on with a log.
    fn with_log(settings: Settings, log: Arc<BrokerLog>) -> Result<Self> {
        let mut client: BaseConsumer<Callbacks> = client_settings(&settings)
            .create_with_context(Callbacks::new(log))
            .wrap_err("create a Kafka consumer")?;
        let waiting = Arc::<OnceLock<Thread>>::default();
        let waits = Arc::clone(&waiting);
        client.set_nonempty_callback(move || {
            if let Some(thread) = waits.get() {
                thread.unpark();
            }
        });
        client
            .subscribe(&[&settings.kafka.topic])
            .wrap_err_with(|| format!("subscribe to the topic {}", settings.kafka.topic))?;
        Ok(Self {
            client,
            waiting,
            settings,
        })
    }

    /// Waits until there may be something to poll, at most so long; always on the same thread.
    pub(super) fn wait(&self, limit: Duration) {
        self.waiting.get_or_init(thread::current);
        thread::park_timeout(limit);
    }

    /// Serves Kafka once, without waiting.
    pub(super) fn poll(&self) -> Polled<'_> {
        let polled = self.client.poll(Duration::ZERO);
        let callbacks = self.client.context();
        let rebalances = callbacks.take_changes();
        let (message, lack) = match polled {
            Some(Ok(message)) => {
                callbacks.log.recovered();
                (Some(Message(message)), None)
            }
            Some(Err(error)) => {
                // Said once by the log of the client, which hears of it too.
                let messages = self.settings.messages;
                debug!("cannot read {messages}, trying on: {error}");
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
        let KafkaConfig { topic, group, .. } = &self.settings.kafka;
        lacking_right(code, Act::Read, topic, group)
    }

    /// Commits these offsets by partition, in the background.
    pub(super) fn commit(&self, commits: &[(i32, i64)]) {
        let topic = &self.settings.kafka.topic;
        let mut offsets = TopicPartitionList::with_capacity(commits.len());
        for &(partition, offset) in commits {
            let added = offsets.add_partition_offset(topic, partition, Offset::Offset(offset));
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
    pub(super) fn set_paused(&self, partitions: impl Iterator<Item = i32>, paused: bool) {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.settings.kafka.topic, partition);
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
    pub(super) fn is_stranded(&self) -> bool {
        self.client.context().stranded.is_so()
    }

    /// Asks to leave the group; the revocation comes with one of the next polls.
    pub(super) fn leave(&self) {
        self.client.unsubscribe();
    }
}

/// The settings of librdkafka.
fn client_settings(settings: &Settings) -> ClientConfig {
    let mut client = client_config(&settings.kafka, settings.client_id);
    let fetch_wait_ms = match settings.broker {
        Broker::Cluster => FETCH_WAIT_MS,
        Broker::Embedded(_) => EMBEDDED_FETCH_WAIT_MS,
    };
    client
        .set("group.id", &settings.kafka.group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000")
        // A subscription polls ten times a second. So long an answer to joining may take, and three seconds more,
        // before it is asked for again: five minutes else, when its connection has gone silent.
        .set("max.poll.interval.ms", "20000")
        // A partition changes hands no sooner than the slowest member's next heartbeat.
        .set("heartbeat.interval.ms", "300")
        .set("queued.max.messages.kbytes", QUEUED_KIB.to_string())
        .set("fetch.max.bytes", FETCH_BYTES.to_string())
        .set("queued.min.messages", "1000")
        .set("fetch.queue.backoff.ms", "10")
        .set("statistics.interval.ms", STATISTICS_INTERVAL_MS)
        .set("fetch.wait.max.ms", fetch_wait_ms);
    client
}
