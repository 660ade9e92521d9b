//! The desk of intake: each message is sorted, and goes to the hold, to the recorder, or nowhere.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{
    GRACE,
    outcome::Reason,
    result::{CheckResult, short},
    task::{Task, TaskError},
};
use recorder::{Repeats, SUSPICIOUS_MS, Times};
use runtime::{
    broker::{Broker, weight},
    clock::Clock,
    quota::Quota,
    telemetry::Condition,
};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;
use tracing::{error, info, warn};

use crate::{
    consumer::{Assignment, Consumer, Message},
    door::Door,
    handover::{self, HandOver},
    held::{Finished, Held, Results},
    hold::Hold,
    ledger::{Ledger, Position},
    metrics::Metrics,
};

/// Where messages are sorted.
pub(crate) struct Desk {
    /// What may be committed.
    pub(crate) ledger: Ledger,
    /// Whether the partitions are paused.
    pub(crate) paused: bool,
    /// When offsets were last committed.
    pub(crate) committed_at: Instant,
    /// When partitions were last assigned.
    given_at: Option<Instant>,
    /// When the assignment last changed, in whatever way.
    changed_at: Instant,
    /// Whether the last change was an assignment, if only of nothing.
    member: bool,
    /// Whose tasks are checked.
    hand_over: HandOver,
    /// How much may be said of messages.
    quotas: Quotas,
    /// Which messages are tasks of this installation.
    door: Door,
    /// Looks up late tasks.
    repeats: Repeats,
    /// The neighbours.
    pub(crate) links: Links,
}

/// How much may be said of messages that cannot be checked. All of them are counted.
#[derive(Debug, Default)]
struct Quotas {
    /// Of those that make no sense.
    invalid: Quota,
    /// Of those that are no tasks.
    poison: Quota,
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
    /// The broker.
    pub(crate) broker: Broker,
    /// Whether the group was joined.
    pub(crate) joined: Condition,
    /// Whether Kafka is there, as somebody else has found.
    pub(crate) reachable: Condition,
    /// Whether Kafka lets this checker read tasks.
    pub(crate) allowed: Condition,
    /// However intake ends, the stages after it are told.
    pub(crate) _ended: DropGuard,
}

impl Drop for Links {
    fn drop(&mut self) {
        self.joined.set(false);
    }
}

/// What one drain of Kafka's queue brought.
#[derive(Default)]
pub(crate) struct Drained {
    /// Tasks to check.
    tasks: Vec<Held>,
    /// Results of tasks that are not checked.
    finished: Vec<Finished>,
    /// The bytes of all messages.
    pub(crate) bytes: usize,
}

impl Desk {
    /// A desk without partitions.
    pub(crate) fn new(door: Door, repeats: Repeats, links: Links) -> Self {
        Self {
            ledger: Ledger::default(),
            paused: false,
            committed_at: Instant::now(),
            given_at: None,
            changed_at: Instant::now(),
            member: false,
            hand_over: HandOver::default(),
            quotas: Quotas::default(),
            door,
            repeats,
            links,
        }
    }

    /// Applies a change of the assignment.
    pub(crate) fn reassign(&mut self, consumer: &Consumer, change: &Assignment) {
        match change {
            Assignment::Given(partitions) => {
                info!(kafka.partitions = partitions.len(), "assigned partitions");
                self.ledger.assign(partitions);
                self.given_at = Some(Instant::now());
                self.member = true;
                // Said in either case: a partition that was paused, revoked and assigned again would
                // stay silent for ever.
                consumer.set_paused(partitions.iter().copied(), self.paused);
            }
            Assignment::Taken(partitions) => {
                info!(kafka.partitions = partitions.len(), "revoked partitions");
                self.ledger.revoke(partitions);
                self.member = false;
            }
        }
        self.changed_at = Instant::now();
        self.join();
    }

    /// Kafka's client is another one from now on, and has joined no group yet.
    pub(crate) fn lose_all(&mut self) {
        let partitions: Vec<_> = self.ledger.partitions().collect();
        self.ledger.revoke(&partitions);
        self.member = false;
        self.changed_at = Instant::now();
        self.join();
    }

    /// Whether this has been no member of the group for so long, though others reach Kafka.
    pub(crate) fn is_outside(&self, limit: Duration) -> bool {
        !self.member && self.links.reachable.holds() && self.changed_at.elapsed() > limit
    }

    /// Says whether this is a member that has its part of the work. The first round of the group gives
    /// a new one nothing, the next, a second later, what the others could spare; who has nothing then has
    /// company enough. Whom Kafka has forgotten, or who has not heard of it for the session timeout, loses
    /// all it had and is given nothing.
    fn join(&self) {
        let settled = self.member && self.changed_at.elapsed() >= handover::LASTS;
        self.links.joined.set(settled || !self.ledger.is_empty());
    }

    /// Puts a message where it belongs.
    pub(crate) fn sort(&mut self, topic: &str, message: &Message<'_>, drained: &mut Drained) {
        let bytes = message.payload().len();
        drained.bytes += bytes;
        let admitted = self.door.admit(message);
        // What a stranger sent was never counted.
        if admitted.is_ok()
            && let Some(memory) = self.links.broker.memory()
        {
            memory.release(weight(bytes));
        }
        let position = self.ledger.deliver(message.partition(), message.offset());
        let now = self.links.clock.now_ms();
        match admitted.and_then(|()| self.door.read(message, now)) {
            Ok(task) if is_past(&task, now) => self.ledger.done(position),
            Ok(task) => take_in(task, position, now, drained),
            Err(TaskError::Invalid {
                site_id,
                scheduled_at,
                message,
            }) => {
                // it may quote all of the message
                let message = short(message);
                self.quotas.invalid.say(|left_out| {
                    warn!(
                        site.id = site_id,
                        scheduled_at,
                        left_out,
                        "a task makes no sense, its check is inconclusive: {message}"
                    );
                });
                let result = CheckResult::unmeasured(site_id, scheduled_at, Reason::InvalidSite)
                    .with_detail(message);
                drained.finished.push(finished(result, position, now));
            }
            Err(TaskError::Foreign(theirs)) => {
                self.door.tell_of(theirs, topic, message);
                self.links.metrics.foreign.inc();
                self.ledger.done(position);
            }
            Err(poison) => {
                let poison = short(poison.to_string());
                self.quotas.poison.say(|left_out| {
                    error!(
                        kafka.topic = topic,
                        kafka.partition = message.partition(),
                        kafka.offset = message.offset(),
                        left_out,
                        "stepped over a message: {poison}"
                    );
                });
                self.links.metrics.poison.inc();
                self.ledger.done(position);
            }
        }
    }

    /// Gives tasks to the hold, and those that need no probe to the recorder.
    pub(crate) fn hand_over(
        &mut self,
        Drained {
            mut tasks,
            mut finished,
            bytes: _,
        }: Drained,
    ) {
        self.join();
        let changed = self.ledger.changed();
        if let Some(assignments) = self.hand_over.apply(changed, Instant::now()) {
            self.links.hold.assign(assignments);
        }
        let now = self.links.clock.now_ms();
        let suspicious_ms = self.suspicious_ms();
        let late = tasks
            .iter()
            .filter(|held| now.saturating_sub(held.task.scheduled_at) > suspicious_ms);
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

    /// Records the checks for which there is no slot in time, as far as the recorder has room.
    pub(crate) fn give_up(&self) {
        let Links { hold, results, .. } = &self.links;
        let given_up = hold.give_up(results.room_for_unmade());
        if !given_up.is_empty() {
            results.put_now(given_up);
        }
    }

    /// From which lateness on a task may be a repeat, in milliseconds. After an assignment whoever had the
    /// partition before goes on for a while, and is likely to have checked what was due.
    fn suspicious_ms(&self) -> i64 {
        let handed_over = self
            .given_at
            .is_some_and(|at| at.elapsed() < handover::LASTS);
        if handed_over { 0 } else { SUSPICIOUS_MS }
    }

    /// Closes what has become durable.
    pub(crate) fn close_durable(&mut self) {
        while let Ok(positions) = self.links.done.try_recv() {
            for position in positions {
                self.ledger.done(position);
            }
        }
    }
}

/// Whether a task expired so long ago that the scheduler's reconciler has judged it, or is about to.
fn is_past(task: &Task, now: i64) -> bool {
    let grace = i64::try_from(GRACE.as_millis()).unwrap_or(i64::MAX);
    task.expires_at < now.saturating_sub(grace)
}

/// A task whose time is over is never probed late.
fn take_in(task: Task, position: Position, now: i64, drained: &mut Drained) {
    if task.expires_at <= now {
        let result = CheckResult::unmeasured(task.site_id, task.scheduled_at, Reason::Late)
            .with_detail(format!(
                "read {} ms after it expired",
                now.saturating_sub(task.expires_at)
            ));
        drained.finished.push(finished(result, position, now));
    } else {
        drained.tasks.push(Held {
            task,
            position,
            read_us: now.saturating_mul(1_000),
        });
    }
}

/// The result of a task that goes no further than this desk.
fn finished(result: CheckResult, position: Position, now: i64) -> Finished {
    let now_us = now.saturating_mul(1_000);
    Finished {
        result,
        position,
        times: Times {
            read_us: now_us,
            ended_us: now_us,
        },
    }
}
