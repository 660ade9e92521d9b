//! The kinds of faults: what fails, for how long, and what heals it.

use std::ops::Range;
use std::time::Duration;

use testbed::Mode;

use crate::action::{Action, Link, Operation, ServiceId};
use crate::random::Random;

/// How many schedulers there are.
pub(crate) const SCHEDULERS: usize = 2;
/// How many checkers there are.
pub(crate) const CHECKERS: usize = 3;

/// By how many seconds a wall clock may be wrong.
const CLOCK_ERRORS_S: [i32; 5] = [1, 5, 60, 3_600, 86_400];

/// All kinds of faults.
const KINDS: [FaultKind; 22] = [
    FaultKind::SchedulerKilled,
    FaultKind::SchedulerFrozen,
    FaultKind::SchedulerStopped,
    FaultKind::CheckerKilled,
    FaultKind::CheckerFrozen,
    FaultKind::CheckerStopped,
    FaultKind::BrokerKilled,
    FaultKind::BrokerFrozen,
    FaultKind::BrokerWiped,
    FaultKind::TopicDeleted,
    FaultKind::PostgresKilled,
    FaultKind::PostgresStopped,
    FaultKind::PostgresFull,
    FaultKind::Cut,
    FaultKind::Delayed,
    FaultKind::Stalled,
    FaultKind::Swallowed,
    FaultKind::Forgotten,
    FaultKind::Read,
    FaultKind::Repeated,
    FaultKind::SchedulerClockSet,
    FaultKind::CheckerClockSet,
];

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    SchedulerKilled,
    SchedulerFrozen,
    SchedulerStopped,
    CheckerKilled,
    CheckerFrozen,
    CheckerStopped,
    BrokerKilled,
    BrokerFrozen,
    BrokerWiped,
    TopicDeleted,
    PostgresKilled,
    PostgresStopped,
    PostgresFull,
    Cut,
    Delayed,
    Stalled,
    Swallowed,
    Forgotten,
    Read,
    Repeated,
    SchedulerClockSet,
    CheckerClockSet,
}

/// What fails; two faults of it do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A service.
    Service(ServiceId),
    /// The wall clock of a service.
    Clock(ServiceId),
    /// The broker.
    Broker,
    /// `PostgreSQL`.
    Postgres,
    /// A link.
    Link(Link),
    /// The results, for a reader.
    Results,
}

/// A fault, and how it heals.
pub(crate) struct Fault {
    /// What fails.
    pub(crate) target: Target,
    /// What is done.
    pub(crate) begin: Action,
    /// What heals it, if it does not do so by itself.
    pub(crate) end: Option<Action>,
    /// How long it lasts, in milliseconds.
    pub(crate) lasts_ms: Range<u64>,
}

impl Target {
    /// The least time between two of its faults: servers take a while to come back.
    pub(crate) const fn rest_ms(self) -> u64 {
        match self {
            Self::Broker => 10_000,
            Self::Postgres => 5_000,
            Self::Service(_) | Self::Clock(_) | Self::Link(_) | Self::Results => 1_500,
        }
    }
}

impl FaultKind {
    /// All kinds.
    pub(crate) const fn all() -> &'static [Self] {
        &KINDS
    }

    /// Those after which nothing that Kafka acknowledged is gone, and that every system can do.
    pub(crate) fn harmless() -> Vec<Self> {
        let others = [Self::BrokerWiped, Self::TopicDeleted, Self::PostgresFull];
        let kinds = KINDS.iter().filter(|kind| !others.contains(kind));
        kinds.copied().collect()
    }

    /// One fault of this kind.
    pub(crate) fn fault(self, random: &mut Random) -> Fault {
        let scheduler = ServiceId::Scheduler(random.below(SCHEDULERS));
        let checker = ServiceId::Checker(random.below(CHECKERS));
        match self {
            Self::SchedulerKilled => service(scheduler, Operation::Kill, 500..10_000),
            Self::SchedulerStopped => service(scheduler, Operation::Stop, 300..5_000),
            // Longer than the session timeout of the checkers' group, and than what a turn may take.
            Self::SchedulerFrozen => service(scheduler, Operation::Freeze, 6_500..13_000),
            Self::CheckerKilled => service(checker, Operation::Kill, 500..10_000),
            Self::CheckerStopped => service(checker, Operation::Stop, 300..5_000),
            Self::CheckerFrozen => service(checker, Operation::Freeze, 6_500..13_000),
            Self::BrokerKilled => broker(Operation::Kill, 300..5_000),
            Self::BrokerFrozen => broker(Operation::Freeze, 2_000..9_000),
            Self::BrokerWiped => broker(Operation::Wipe, 300..3_000),
            Self::TopicDeleted => Fault {
                target: Target::Broker,
                begin: Action::DeleteTopic,
                end: None,
                lasts_ms: 0..1,
            },
            Self::PostgresKilled => postgres(Operation::Kill, 300..6_000),
            Self::PostgresStopped => postgres(Operation::Stop, 300..6_000),
            Self::PostgresFull => postgres(Operation::Fill, 2_000..9_000),
            Self::Cut => link(random, Mode::Cut, 300..5_000),
            Self::Delayed => {
                let delay = Duration::from_millis(random.within(&(20..400)));
                link(random, Mode::Delay(delay), 3_000..12_000)
            }
            Self::Stalled => link(random, Mode::Stall, 1_000..12_000),
            Self::Swallowed => link(random, Mode::Swallow, 1_000..12_000),
            Self::Forgotten => link(random, Mode::Forget, 1_000..2_000),
            Self::Read => Fault {
                target: Target::Results,
                begin: Action::Read(Duration::from_millis(random.within(&(4_000..15_000)))),
                end: Some(Action::Days),
                lasts_ms: 1_000..3_000,
            },
            Self::Repeated => Fault {
                target: Target::Results,
                begin: Action::Repeat(random.within(&(0..1_000))),
                end: None,
                lasts_ms: 0..1,
            },
            Self::SchedulerClockSet => clock(scheduler, random),
            Self::CheckerClockSet => clock(checker, random),
        }
    }
}

/// A fault of a service.
fn service(id: ServiceId, operation: Operation, lasts_ms: Range<u64>) -> Fault {
    Fault {
        target: Target::Service(id),
        begin: Action::Service(id, operation),
        end: Some(Action::Service(id, operation.healed_by())),
        lasts_ms,
    }
}

/// The wall clock of a service is wrong, and set right later.
fn clock(id: ServiceId, random: &mut Random) -> Fault {
    let by = CLOCK_ERRORS_S
        .get(random.below(CLOCK_ERRORS_S.len()))
        .copied();
    let by = by.unwrap_or_default();
    let ahead = if random.one_in(2) { by } else { -by };
    Fault {
        target: Target::Clock(id),
        begin: Action::SetClock(id, ahead),
        end: Some(Action::SetClock(id, 0)),
        lasts_ms: 1_000..12_000,
    }
}

/// A fault of the broker.
fn broker(operation: Operation, lasts_ms: Range<u64>) -> Fault {
    Fault {
        target: Target::Broker,
        begin: Action::Broker(operation),
        end: Some(Action::Broker(operation.healed_by())),
        lasts_ms,
    }
}

/// A fault of `PostgreSQL`.
fn postgres(operation: Operation, lasts_ms: Range<u64>) -> Fault {
    Fault {
        target: Target::Postgres,
        begin: Action::Postgres(operation),
        end: Some(Action::Postgres(operation.healed_by())),
        lasts_ms,
    }
}

/// A fault of some link.
fn link(random: &mut Random, mode: Mode, lasts_ms: Range<u64>) -> Fault {
    let links = [
        Link::SchedulersDatabase,
        Link::CheckersDatabase,
        Link::SchedulersBroker,
        Link::CheckersBroker,
    ];
    let link = links
        .get(random.below(links.len()))
        .copied()
        .unwrap_or(Link::CheckersBroker);
    Fault {
        target: Target::Link(link),
        begin: Action::Link(link, mode),
        end: Some(Action::Link(link, Mode::Pass)),
        lasts_ms,
    }
}

impl Operation {
    /// Whether it makes something good.
    pub(crate) const fn heals(self) -> bool {
        matches!(self, Self::Thaw | Self::Start | Self::Free)
    }

    /// What makes it good.
    const fn healed_by(self) -> Self {
        match self {
            Self::Freeze => Self::Thaw,
            Self::Fill => Self::Free,
            _ => Self::Start,
        }
    }
}
