//! Intake: one thread owns Kafka's consumer.
//!
//! It reads tasks into the hold, commits what the ledger says is durable, and never stops polling, so
//! that the group never rebalances because a site or the database is slow: when there is no room the
//! partitions are paused.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use color_eyre::eyre::Result;
use contract::{
    outcome::Reason,
    result::CheckResult,
    task::{Task, TaskError},
};
use runtime::{backlog::Backlog, clock::Clock, config::KafkaConfig, telemetry::Condition};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    consumer::{Assignment, Consumer, Message},
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
    /// Kafka.
    consumer: Consumer,
    /// The rest; apart, as a message borrows from the consumer.
    desk: Desk,
}

/// Where messages are sorted.
struct Desk {
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
        let consumer = Consumer::join(config, links.backlog.is_some())?;
        let ledger = Ledger::default();
        let desk = Desk {
            ledger,
            paused: false,
            committed_at: Instant::now(),
            repeats,
            links,
        };
        Ok(Self { consumer, desk })
    }

    /// Reads until `stop`, then leaves the group.
    pub(crate) fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let drained = self.drain();
            self.desk.hand_over(drained);
            self.desk.close_durable();
            if self.desk.committed_at.elapsed() >= COMMIT_EVERY {
                self.commit();
            }
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

    /// Serves Kafka once; whether there was anything.
    fn poll(&mut self, wait: Duration, drained: &mut Drained) -> bool {
        let polled = self.consumer.poll(wait);
        let rebalanced = !polled.rebalances.is_empty();
        for change in polled.rebalances {
            self.desk.reassign(&self.consumer, &change);
        }
        match polled.message {
            Some(message) => {
                self.desk.sort(self.consumer.topic(), &message, drained);
                true
            }
            None => rebalanced,
        }
    }

    /// Commits what is durable and contiguous.
    fn commit(&mut self) {
        self.desk.committed_at = Instant::now();
        let commits = self.desk.ledger.commits();
        if !commits.is_empty() {
            self.consumer.commit(&commits);
        }
    }

    /// Pauses when there is no room for more, and resumes at half.
    fn pause_or_resume(&mut self) {
        let Desk {
            ledger,
            paused,
            links,
            ..
        } = &mut self.desk;
        let (tasks, bytes) = links.hold.size();
        links
            .metrics
            .hold_size
            .set(i64::try_from(tasks).unwrap_or(i64::MAX));
        links
            .metrics
            .hold_bytes
            .set(i64::try_from(bytes).unwrap_or(i64::MAX));
        let unrecorded = links.results.is_full();
        let pause = if *paused {
            unrecorded || bytes > hold::MOST_BYTES / 2
        } else {
            unrecorded || bytes >= hold::MOST_BYTES
        };
        if pause != *paused {
            *paused = pause;
            let what = if pause { "paused" } else { "resumed" };
            info!(hold.bytes = bytes, "{what} reading tasks");
            self.consumer.set_paused(ledger.partitions(), pause);
        }
    }

    /// Leaves the group, so that others take the partitions at once. Closing alone does not leave
    /// when the protocol is cooperative: the revocation has to be served first.
    fn leave(mut self) {
        self.desk.close_durable();
        self.commit();
        self.consumer.leave();
        let mut deadline = Instant::now() + LEAVE_LIMIT;
        let mut ignored = Drained::default();
        while Instant::now() < deadline {
            self.poll(Duration::from_millis(10), &mut ignored);
            if self.desk.ledger.is_empty() {
                deadline = deadline.min(Instant::now() + LEAVE_AFTER_REVOCATION);
            }
        }
    }
}

impl Desk {
    /// Applies a change of the assignment.
    fn reassign(&mut self, consumer: &Consumer, change: &Assignment) {
        match change {
            Assignment::Given(partitions) => {
                info!(kafka.partitions = partitions.len(), "assigned partitions");
                self.ledger.assign(partitions);
                // Said in either case: a partition that was paused, revoked and assigned again would
                // stay silent for ever.
                consumer.set_paused(partitions.iter().copied(), self.paused);
            }
            Assignment::Taken(partitions) => {
                info!(kafka.partitions = partitions.len(), "revoked partitions");
                self.ledger.revoke(partitions);
            }
        }
        self.links.joined.set(true);
    }

    /// Puts a message where it belongs.
    fn sort(&mut self, topic: &str, message: &Message<'_>, drained: &mut Drained) {
        let payload = message.payload();
        drained.bytes += payload.len();
        if let Some(backlog) = &self.links.backlog {
            backlog.release(payload.len());
        }
        let position = self.ledger.deliver(message.partition(), message.offset());
        let now = self.links.clock.now_ms();
        match Task::decode(payload, now) {
            Ok(task) => take_in(task, position, now, drained),
            Err(TaskError::Invalid {
                site_id,
                scheduled_at,
                message,
            }) => {
                warn!(
                    site.id = site_id,
                    scheduled_at, "a task makes no sense, its check is inconclusive: {message}"
                );
                let result = CheckResult::unmeasured(site_id, scheduled_at, Reason::InvalidSite)
                    .with_detail(message);
                drained.finished.push(Finished { result, position });
            }
            Err(poison) => {
                error!(
                    kafka.topic = topic,
                    kafka.partition = message.partition(),
                    kafka.offset = message.offset(),
                    "stepped over a message: {poison}"
                );
                self.links.metrics.poison.inc();
                self.ledger.done(position);
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

    /// Closes what has become durable.
    fn close_durable(&mut self) {
        while let Ok(positions) = self.links.done.try_recv() {
            for position in positions {
                self.ledger.done(position);
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
