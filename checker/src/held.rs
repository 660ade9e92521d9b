//! A task on its way through the checker, and its result.

use contract::{outcome::Reason, result::CheckResult, task::Task};
use recorder::Times;
use stream::subscription::Position;

/// A task that was read from Kafka.
#[derive(Debug)]
pub(crate) struct Held {
    /// The task.
    pub(crate) task: Task,
    /// Where it stood.
    pub(crate) position: Position,
    /// When it was read, in microseconds since the Unix epoch.
    pub(crate) read_us: i64,
}

/// A result; its task's position may be committed once it is durable.
pub(crate) type Finished = recorder::Finished<Position>;

/// Results that wait to be recorded.
pub(crate) type Results = recorder::Results<Position>;

impl Held {
    /// The result of a check that is not made, as there is no slot for it by now; `why` tells more.
    pub(crate) fn given_up(&self, now_us: i64, why: impl Into<String>) -> Finished {
        let Self {
            task,
            position,
            read_us,
        } = self;
        let result = CheckResult::unmeasured(task.site_id, task.scheduled_at, Reason::Backlog);
        Finished {
            result: result.with_detail(why.into()),
            position: *position,
            times: Times {
                read_us: *read_us,
                ended_us: now_us,
            },
        }
    }
}
