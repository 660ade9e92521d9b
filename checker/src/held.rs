//! A task on its way through the checker, and its result.

use contract::{instant::UnixUs, outcome::Reason, result::CheckResult, task::Task};
use recorder::Times;
use stream::subscription::Position;

/// A task that was read from Kafka.
#[derive(Debug)]
pub(crate) struct Held {
    /// The task.
    pub(crate) task: Task,
    /// Where it stood.
    pub(crate) position: Position,
    /// When it was read.
    pub(crate) read_at: UnixUs,
}

/// A result; its task's position may be committed once it is durable.
pub(crate) type Finished = recorder::Finished<Position>;

/// Results that wait to be recorded.
pub(crate) type Results = recorder::Results<Position>;

impl Held {
    /// The result of a check that is not made, as there is no slot for it by now; `why` tells more.
    pub(crate) fn given_up(&self, now: UnixUs, why: impl Into<String>) -> Finished {
        let Self {
            task,
            position,
            read_at,
        } = self;
        let result = CheckResult::unmeasured(task.check(), Reason::Backlog);
        Finished {
            result: result.with_detail(why.into()),
            position: *position,
            times: Times {
                read_at: *read_at,
                ended_at: now,
            },
        }
    }
}
