//! Sorting: each message becomes a task for the hold, a result for the recorder, or nothing.

use contract::{
    GRACE,
    instant::UnixMs,
    outcome::Reason,
    result::{CheckResult, short},
    task::{Task, TaskError},
};
use recorder::Times;
use runtime::{
    broker::{Broker, weight},
    clock::Clock,
    quota::Quota,
};
use stream::subscription::{Message, Position, Progress};
use tracing::{error, warn};

use super::task_reader::TaskReader;
use crate::{
    held::{Finished, Held},
    metrics::Metrics,
};

/// Sorts messages.
pub(crate) struct Sorter {
    /// Reads tasks of this installation from messages.
    reader: TaskReader,
    /// The one clock.
    clock: Clock,
    /// What is counted.
    metrics: Metrics,
    /// The broker.
    broker: Broker,
    /// How much may be said of messages.
    quotas: Quotas,
    /// What was sorted and not taken yet.
    sorted: Sorted,
}

/// How much may be said of messages that cannot be checked. All of them are counted.
#[derive(Debug, Default)]
struct Quotas {
    /// Of those that make no sense.
    invalid: Quota,
    /// Of those that are no tasks.
    poison: Quota,
}

/// What became of the messages of one read.
#[derive(Default)]
pub(super) struct Sorted {
    /// Tasks to check.
    pub(super) tasks: Vec<Held>,
    /// Results of tasks that are not checked.
    pub(super) finished: Vec<Finished>,
}

impl Sorter {
    /// A sorter of messages that come from `broker`.
    pub(crate) fn new(reader: TaskReader, broker: Broker, clock: Clock, metrics: Metrics) -> Self {
        Self {
            reader,
            clock,
            metrics,
            broker,
            quotas: Quotas::default(),
            sorted: Sorted::default(),
        }
    }

    /// Puts a message where it belongs.
    pub(super) fn sort(&mut self, message: &Message<'_>, position: Position) -> Progress {
        let verified = self.reader.verify(message);
        // What a stranger sent was never counted.
        if verified.is_ok()
            && let Some(memory) = self.broker.memory()
        {
            memory.release(weight(message.payload().len()));
        }
        let now = self.clock.now_ms();
        match verified.and_then(|()| self.reader.decode(message, now)) {
            Ok(task) if is_past(&task, now) => Progress::Done,
            Ok(task) => take_in(task, position, now, &mut self.sorted),
            Err(TaskError::Invalid { check, message }) => {
                // it may quote all of the message
                let message = short(message);
                self.quotas.invalid.say(|left_out| {
                    warn!(
                        site.id = check.site.0,
                        scheduled_at = check.scheduled_at.0,
                        left_out,
                        "a task makes no sense, its check is inconclusive: {message}"
                    );
                });
                let result =
                    CheckResult::unmeasured(check, Reason::InvalidSite).with_detail(message);
                let finished = finished(result, position, now);
                self.sorted.finished.push(finished);
                Progress::Pending
            }
            Err(TaskError::Foreign(theirs)) => {
                self.reader.tell_of(theirs, message);
                self.metrics.foreign.inc();
                Progress::Done
            }
            Err(poison) => {
                self.step_over(&poison, message);
                Progress::Done
            }
        }
    }

    /// What was sorted since this was last asked.
    pub(super) fn take(&mut self) -> Sorted {
        std::mem::take(&mut self.sorted)
    }

    /// Counts a message that is no task, and says so.
    fn step_over(&mut self, poison: &TaskError, message: &Message<'_>) {
        let poison = short(poison.to_string());
        self.quotas.poison.say(|left_out| {
            error!(
                kafka.topic = message.topic(),
                kafka.partition = message.partition(),
                kafka.offset = message.offset(),
                left_out,
                "stepped over a message: {poison}"
            );
        });
        self.metrics.poison.inc();
    }
}

/// Whether a task expired so long ago that the scheduler has recorded it as lost, or is about to.
fn is_past(task: &Task, now: UnixMs) -> bool {
    task.expires_at < now - GRACE
}

/// A task whose time is over is never probed late.
fn take_in(task: Task, position: Position, now: UnixMs, sorted: &mut Sorted) -> Progress {
    if task.expires_at <= now {
        let result = CheckResult::unmeasured(task.check(), Reason::Late).with_detail(format!(
            "read {} ms after it expired",
            now.ms_since(task.expires_at)
        ));
        sorted.finished.push(finished(result, position, now));
    } else {
        sorted.tasks.push(Held {
            task,
            position,
            read_at: now.to_us(),
        });
    }
    Progress::Pending
}

/// The result of a task that is not probed.
fn finished(result: CheckResult, position: Position, now: UnixMs) -> Finished {
    Finished {
        result,
        position,
        times: Times {
            read_at: now.to_us(),
            ended_at: now.to_us(),
        },
    }
}
