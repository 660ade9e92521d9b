//! Intake: one thread owns Kafka's consumer.
//!
//! It reads tasks into the hold, commits what the ledger says is durable, and never stops polling, so
//! that the group never rebalances because a site or the database is slow: when there is no room the
//! partitions are paused. This is the only file that knows the consumer.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, WrapErr as _};
use contract::{
    CHECKER_GROUP,
    outcome::Reason,
    result::CheckResult,
    task::{Task, TaskError},
};
use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::KafkaError,
    topic_partition_list::TopicPartitionListElem,
};
use runtime::{
    backlog::Backlog, clock::Clock, config::KafkaConfig, kafka::BrokerLog, telemetry::Condition,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::{
    hold::{self, Held, Hold},
    ledger::{Ledger, Position},
    metrics::Metrics,
    record::{Finished, Results},
    repeats::{Repeats, SUSPICIOUS_MS},
};

/// How long one poll waits for a task; a stop and completions are noticed at least so often.
const POLL: Duration = Duration::from_millis(100);
/// The most tasks of one drain: little against the hold, much against the cost of a hand-over.
const MOST_DRAINED: usize = 1_000;
/// The most bytes of one drain, but for the last message: that much the hold may exceed its bound.
const MOST_DRAINED_BYTES: usize = 4 * 1024 * 1024;
/// How often offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// The time for leaving the group.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
/// The time in which librdkafka, once the revocation is served, stops its fetchers and says goodbye. A
/// consumer that is closed before that leaves without a word, and its partitions are orphaned for the
/// session timeout. Nothing tells when it is done.
const LEAVE_AFTER_REVOCATION: Duration = Duration::from_millis(300);

/// What intake works with.
pub(crate) struct Intake {
    /// librdkafka.
    consumer: BaseConsumer<Context>,
    /// `kafka.topic`.
    topic: String,
    /// What may be committed.
    ledger: Ledger,
    /// Whether the partitions are paused.
    paused: bool,
    /// When offsets were last committed.
    committed_at: Instant,
    /// Looks up late tasks.
    repeats: Repeats,
    /// The neighbours.
    links: Links,
}

/// Intake's neighbours.
pub(crate) struct Links {
    /// Where tasks go.
    pub(crate) hold: Arc<Hold>,
    /// Where results of tasks go that are not probed.
    pub(crate) results: Arc<Results>,
    /// Where the positions of durable results come from.
    pub(crate) done: mpsc::Receiver<Vec<Position>>,
    /// The one clock.
    pub(crate) clock: Clock,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// In a standalone, the bound of the embedded broker.
    pub(crate) backlog: Option<Arc<Backlog>>,
    /// Whether the group was joined.
    pub(crate) joined: Condition,
}

impl Drop for Links {
    /// However intake ends, the stages after it end too.
    fn drop(&mut self) {
        self.joined.set(false);
        self.hold.close();
    }
}

/// What one drain of Kafka's queue brought.
#[derive(Default)]
struct Drained {
    /// Tasks to check.
    tasks: Vec<Held>,
    /// Results of tasks that are not checked.
    finished: Vec<Finished>,
    /// The bytes of all messages.
    bytes: usize,
}

impl Intake {
    /// Joins the group.
    pub(crate) fn new(config: &KafkaConfig, repeats: Repeats, links: Links) -> Result<Self> {
        let mut client: ClientConfig = runtime::kafka::client_config(config, "webmon-checker");
        client
            .set("group.id", CHECKER_GROUP)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            // A hand-over takes as long as the slowest member's next heartbeat.
            .set("heartbeat.interval.ms", "300")
            // What is read ahead belongs into the hold, which is bounded in bytes.
            .set("queued.max.messages.kbytes", "4096")
            .set("queued.min.messages", "1000")
            .set("fetch.queue.backoff.ms", "10")
            .set(
                "fetch.wait.max.ms",
                if links.backlog.is_some() { "10" } else { "500" },
            );
        let context = Context {
            log: BrokerLog::new("consumer"),
            events: Mutex::default(),
        };
        let consumer: BaseConsumer<Context> = client
            .create_with_context(context)
            .wrap_err("create a Kafka consumer")?;
        consumer
            .subscribe(&[&config.topic])
            .wrap_err_with(|| format!("subscribe to the topic {}", config.topic))?;
        Ok(Self {
            consumer,
            topic: config.topic.clone(),
            ledger: Ledger::default(),
            paused: false,
            committed_at: Instant::now(),
            repeats,
            links,
        })
    }

    /// Reads until `stop`, then leaves the group.
    pub(crate) fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let drained = self.drain();
            self.hand_over(drained);
            self.settle();
            self.pause_or_resume();
        }
        self.leave();
    }

    /// Waits for a task and reads what else is there.
    fn drain(&mut self) -> Drained {
        let mut drained = Drained::default();
        let mut wait = POLL;
        for _ in 0..MOST_DRAINED {
            if !self.poll(wait, &mut drained) || drained.bytes >= MOST_DRAINED_BYTES {
                break;
            }
            wait = Duration::ZERO;
        }
        drained
    }

    /// Serves Kafka once; whether there was a message.
    fn poll(&mut self, wait: Duration, drained: &mut Drained) -> bool {
        let Self {
            consumer,
            ledger,
            links,
            topic,
            ..
        } = self;
        let polled = consumer.poll(wait);
        // A poll may serve a rebalance before it returns a message of the new assignment.
        let rebalanced = apply_rebalances(consumer, ledger, links, (topic, self.paused));
        match polled {
            None => rebalanced,
            Some(Ok(message)) => {
                let payload = message.payload().unwrap_or_default();
                drained.bytes += payload.len();
                let position = ledger.deliver(message.partition(), message.offset());
                if let Some(backlog) = &links.backlog {
                    backlog.release(payload.len());
                }
                let now = links.clock.now_ms();
                match Task::decode(payload, now) {
                    Ok(task) => take_in(task, position, now, drained),
                    Err(TaskError::Invalid {
                        site_id,
                        scheduled_at,
                        message,
                    }) => {
                        warn!(
                            site.id = site_id,
                            scheduled_at,
                            "a task makes no sense, its check is inconclusive: {message}"
                        );
                        let result =
                            CheckResult::unmeasured(site_id, scheduled_at, Reason::InvalidSite)
                                .with_detail(message);
                        drained.finished.push(Finished { result, position });
                    }
                    Err(poison) => {
                        error!(
                            kafka.topic = message.topic(),
                            kafka.partition = message.partition(),
                            kafka.offset = message.offset(),
                            "stepped over a message: {poison}"
                        );
                        links.metrics.poison.inc();
                        ledger.done(position);
                    }
                }
                consumer.context().log.recovered();
                true
            }
            Some(Err(error)) => {
                // Said once by the log of the client, which hears of it too.
                debug!("cannot read tasks, trying on: {error}");
                false
            }
        }
    }

    /// Gives tasks to the hold, and those that need no probe to the recorder.
    fn hand_over(
        &mut self,
        Drained {
            mut tasks,
            mut finished,
            bytes: _,
        }: Drained,
    ) {
        if let Some(assignments) = self.ledger.changed() {
            self.links.hold.assign(assignments);
        }
        let now = self.links.clock.now_ms();
        let late = tasks
            .iter()
            .filter(|held| now.saturating_sub(held.task.scheduled_at) > SUSPICIOUS_MS);
        let recorded: BTreeSet<_> = self.repeats.recorded(late.map(|held| &held.task));
        if !recorded.is_empty() {
            let ledger = &mut self.ledger;
            tasks.retain(|held| {
                let repeat = recorded.contains(&(held.task.site_id, held.task.scheduled_at));
                if repeat {
                    ledger.done(held.position);
                }
                !repeat
            });
        }
        if !finished.is_empty() {
            self.links.results.put_now(finished.drain(..));
        }
        if !tasks.is_empty() {
            self.links.hold.put(tasks);
        }
    }

    /// Closes what has become durable, and commits it every second.
    fn settle(&mut self) {
        while let Ok(positions) = self.links.done.try_recv() {
            for position in positions {
                self.ledger.done(position);
            }
        }
        if self.committed_at.elapsed() >= COMMIT_EVERY {
            self.committed_at = Instant::now();
            self.commit();
        }
    }

    /// Commits what is durable and contiguous.
    fn commit(&mut self) {
        let commits = self.ledger.commits();
        if commits.is_empty() {
            return;
        }
        let mut offsets = TopicPartitionList::with_capacity(commits.len());
        for (partition, offset) in commits {
            if let Err(error) =
                offsets.add_partition_offset(&self.topic, partition, Offset::Offset(offset))
            {
                debug!(
                    kafka.partition = partition,
                    "cannot commit the offset {offset}: {error}"
                );
            }
        }
        if let Err(error) = self.consumer.commit(&offsets, CommitMode::Async) {
            debug!("cannot commit offsets, they are committed later: {error}");
        }
    }

    /// Pauses when there is no room for more, and resumes at half.
    fn pause_or_resume(&mut self) {
        let (tasks, bytes) = self.links.hold.size();
        self.links
            .metrics
            .hold_size
            .set(i64::try_from(tasks).unwrap_or(i64::MAX));
        self.links
            .metrics
            .hold_bytes
            .set(i64::try_from(bytes).unwrap_or(i64::MAX));
        let full = bytes >= hold::MOST_BYTES || self.links.results.is_full();
        let roomy = bytes <= hold::MOST_BYTES / 2 && !self.links.results.is_full();
        let paused = if self.paused { !roomy } else { full };
        if paused != self.paused {
            self.paused = paused;
            info!(
                hold.bytes = bytes,
                "{} reading tasks",
                if paused { "paused" } else { "resumed" }
            );
            match self.consumer.assignment() {
                Ok(assignment) => set_paused(&self.consumer, &assignment, paused),
                Err(error) => warn!("cannot list the assigned partitions: {error}"),
            }
        }
    }

    /// Leaves the group, so that others take the partitions at once. Closing alone does not leave
    /// when the protocol is cooperative: the revocation has to be served first.
    fn leave(mut self) {
        self.settle();
        self.commit();
        self.consumer.unsubscribe();
        let mut deadline = Instant::now() + LEAVE_LIMIT;
        let mut ignored = Drained::default();
        while Instant::now() < deadline {
            self.poll(Duration::from_millis(10), &mut ignored);
            if self.ledger.is_empty() {
                deadline = deadline.min(Instant::now() + LEAVE_AFTER_REVOCATION);
            }
        }
    }
}

/// A task whose time is over is never probed late.
fn take_in(task: Task, position: Position, now: i64, drained: &mut Drained) {
    if task.expires_at <= now {
        let result = CheckResult::unmeasured(task.site_id, task.scheduled_at, Reason::Late)
            .with_detail(format!(
                "read {} ms after it expired",
                now.saturating_sub(task.expires_at)
            ));
        drained.finished.push(Finished { result, position });
    } else {
        drained.tasks.push(Held { task, position });
    }
}

/// Applies the rebalances that were served since the last time; whether there were any.
fn apply_rebalances(
    consumer: &BaseConsumer<Context>,
    ledger: &mut Ledger,
    links: &Links,
    (topic, paused): (&str, bool),
) -> bool {
    let events = consumer.context().take();
    for event in &events {
        match event {
            Event::Assigned(partitions) => {
                info!(kafka.partitions = partitions.len(), "assigned partitions");
                ledger.assign(partitions);
                let mut assigned = TopicPartitionList::with_capacity(partitions.len());
                for partition in partitions {
                    assigned.add_partition(topic, *partition);
                }
                // Said in either case: a partition that was paused, revoked and assigned again would
                // stay silent for ever.
                set_paused(consumer, &assigned, paused);
            }
            Event::Revoked(partitions) => {
                info!(kafka.partitions = partitions.len(), "revoked partitions");
                ledger.revoke(partitions);
            }
        }
        links.joined.set(true);
    }
    !events.is_empty()
}

/// Pauses or resumes partitions.
fn set_paused(consumer: &BaseConsumer<Context>, partitions: &TopicPartitionList, paused: bool) {
    let done = if paused {
        consumer.pause(partitions)
    } else {
        consumer.resume(partitions)
    };
    if let Err(error) = done {
        warn!(
            "cannot {} partitions: {error}",
            if paused { "pause" } else { "resume" }
        );
    }
}

/// What librdkafka calls back, on the thread that polls. Called from C: holds no logic.
struct Context {
    /// What librdkafka has to say.
    log: BrokerLog,
    /// Rebalances that were served and not applied yet.
    events: Mutex<Vec<Event>>,
}

/// A rebalance.
enum Event {
    /// These partitions are new.
    Assigned(Vec<i32>),
    /// These partitions are gone.
    Revoked(Vec<i32>),
}

impl Context {
    /// Takes the rebalances that were served.
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
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
        let event = match rebalance {
            Rebalance::Assign(partitions) => Event::Assigned(numbers(partitions)),
            Rebalance::Revoke(partitions) => Event::Revoked(numbers(partitions)),
            Rebalance::Error(_) => return,
        };
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }
}
