//! What may be done to webmon and to what it stands on.

use std::fmt;
use std::time::Duration;

use testbed::Mode;

/// A service, by what it is and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServiceId {
    /// One of the schedulers.
    Scheduler(usize),
    /// One of the checkers.
    Checker(usize),
}

/// The connections of all services of a kind to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// Schedulers to `PostgreSQL`.
    SchedulersDatabase,
    /// Checkers to `PostgreSQL`.
    CheckersDatabase,
    /// Schedulers to Kafka.
    SchedulersBroker,
    /// Checkers to Kafka.
    CheckersBroker,
}

/// What is done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// SIGKILL.
    Kill,
    /// What a server does at SIGQUIT, and a service at SIGTERM.
    Stop,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
    /// SIGKILL, and all data removed.
    Wipe,
    /// It is started again.
    Start,
    /// Its disk is full.
    Fill,
    /// Its disk has room again.
    Free,
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// To a service.
    Service(ServiceId, Operation),
    /// The wall clock of a service is set: so many seconds ahead of the machine's.
    SetClock(ServiceId, i32),
    /// To the broker.
    Broker(Operation),
    /// To `PostgreSQL`.
    Postgres(Operation),
    /// The topic is deleted.
    DeleteTopic,
    /// A link changes.
    Link(Link, Mode),
    /// A client reads all results in one transaction that stays open so long, as `pg_dump` does.
    Read(Duration),
    /// Days of `check_result` are made that are too old to stay, and one that is needed is dropped.
    Days,
    /// Tasks that are on the topic are put there again, in another order.
    Repeat(u64),
    /// Sites are changed by SQL.
    Change(u64),
    /// Sites are changed in a transaction that stays open so long.
    ChangeSlowly(u64, Duration),
    /// A sites file is applied.
    Apply(u64),
}

impl Action {
    /// Whether something fails by it: not what people do, and not what heals.
    pub(crate) const fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Change(_)
                | Self::ChangeSlowly(..)
                | Self::Apply(_)
                | Self::Link(_, Mode::Pass)
                | Self::Days
                | Self::Service(_, Operation::Start | Operation::Thaw)
                | Self::SetClock(_, 0)
                | Self::Broker(Operation::Start | Operation::Thaw)
                | Self::Postgres(Operation::Start | Operation::Free)
        )
    }

    /// Whether tasks that Kafka acknowledged may be gone by it.
    pub(crate) const fn forgets(self) -> bool {
        matches!(self, Self::DeleteTopic | Self::Broker(Operation::Wipe))
    }

    /// Whether a checker may not know by it which rows it has written.
    pub(crate) const fn blurs_counts(self) -> bool {
        matches!(
            self,
            Self::Service(ServiceId::Checker(_), Operation::Kill | Operation::Stop)
                | Self::Postgres(_)
                | Self::Link(
                    Link::CheckersDatabase,
                    Mode::Cut | Mode::Swallow | Mode::Stall | Mode::Forget
                )
        )
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheduler(number) => write!(f, "scheduler-{}", number + 1),
            Self::Checker(number) => write!(f, "checker-{}", number + 1),
        }
    }
}
