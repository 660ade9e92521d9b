//! What is done when: a function of the seed alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use testbed::Mode;

use crate::action::{Action, Deed, Link, Member};
use crate::dice::Dice;

/// How many schedulers there are.
pub(crate) const SCHEDULERS: usize = 2;
/// How many checkers there are.
pub(crate) const CHECKERS: usize = 3;

/// When the first fault comes: the services have begun by then.
const FIRST_MS: u64 = 3_000;
/// The time from one fault to the next.
const PAUSE_MS: Range<u64> = 300..3_500;
/// The least time between two faults of the same thing.
const REST_MS: u64 = 1_500;
/// From one change of sites to the next.
const CHANGE_EVERY_MS: u64 = 1_000;
/// Every so many changes of sites a slow one, and an application of a file.
const RARELY: u64 = 7;

/// All kinds of faults.
const KINDS: [Kind; 18] = [
    Kind::SchedulerKilled,
    Kind::SchedulerFrozen,
    Kind::SchedulerStopped,
    Kind::CheckerKilled,
    Kind::CheckerFrozen,
    Kind::CheckerStopped,
    Kind::BrokerKilled,
    Kind::BrokerFrozen,
    Kind::BrokerWiped,
    Kind::TopicDeleted,
    Kind::PostgresKilled,
    Kind::PostgresStopped,
    Kind::Cut,
    Kind::Delayed,
    Kind::Stalled,
    Kind::Swallowed,
    Kind::Read,
    Kind::Repeated,
];

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    Cut,
    Delayed,
    Stalled,
    Swallowed,
    Read,
    Repeated,
}

/// What fails; two faults of it do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A service.
    Service(Member),
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
struct Fault {
    /// What fails.
    target: Target,
    /// What is done.
    begin: Action,
    /// What heals it, if it does not do so by itself.
    end: Option<Action>,
    /// How long it lasts.
    lasts_ms: Range<u64>,
}

/// One thing that is done, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// When, from the start.
    pub(crate) at: Duration,
    /// What.
    pub(crate) action: Action,
}

/// What is done when.
#[derive(Debug)]
pub(crate) struct Plan {
    /// In order.
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The plan of a seed. Not every plan has all `kinds`: what one fault would hide another shows.
    pub(crate) fn new(seed: u64, length: Duration, kinds: &[Kind]) -> Self {
        let mut dice = Dice::new(seed);
        let mut kinds = kinds.to_vec();
        // In some runs every row is counted by a checker that lives to tell.
        if dice.one_in(4) {
            kinds.retain(|kind| !kind.blurs_counts());
        }
        dice.shuffle(&mut kinds);
        kinds.truncate(kinds.len() * 2 / 3);
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let mut steps = faults(&mut dice, &kinds, length_ms);
        steps.extend(changes(&mut dice, length_ms));
        steps.sort_by_key(|step| step.at);
        Self { steps }
    }

    /// How many faults there are.
    pub(crate) fn faults(&self) -> usize {
        let faults = self.steps.iter().filter(|step| step.action.is_fault());
        faults.count()
    }

    /// Whether tasks that Kafka acknowledged may be gone.
    pub(crate) fn forgets(&self) -> bool {
        self.steps.iter().any(|step| step.action.forgets())
    }

    /// Whether checkers may not know which rows they have written.
    pub(crate) fn blurs_counts(&self) -> bool {
        self.steps.iter().any(|step| step.action.blurs_counts())
    }
}

impl Kind {
    /// All kinds.
    pub(crate) const fn all() -> &'static [Self] {
        &KINDS
    }

    /// Those after which nothing that Kafka acknowledged is gone.
    pub(crate) fn harmless() -> Vec<Self> {
        let forgets = [Self::BrokerWiped, Self::TopicDeleted];
        let kinds = KINDS.iter().filter(|kind| !forgets.contains(kind));
        kinds.copied().collect()
    }

    /// Whether a checker may not know by it which rows it has written.
    const fn blurs_counts(self) -> bool {
        matches!(
            self,
            Self::CheckerKilled
                | Self::CheckerStopped
                | Self::PostgresKilled
                | Self::PostgresStopped
        )
    }

    /// One fault of this kind.
    fn fault(self, dice: &mut Dice) -> Fault {
        let scheduler = Member::Scheduler(dice.below(SCHEDULERS));
        let checker = Member::Checker(dice.below(CHECKERS));
        match self {
            Self::SchedulerKilled => service(scheduler, Deed::Kill, 500..10_000),
            Self::SchedulerStopped => service(scheduler, Deed::Stop, 300..5_000),
            // Longer than the session timeout of the checkers' group, and than what a turn may take.
            Self::SchedulerFrozen => service(scheduler, Deed::Freeze, 6_500..13_000),
            Self::CheckerKilled => service(checker, Deed::Kill, 500..10_000),
            Self::CheckerStopped => service(checker, Deed::Stop, 300..5_000),
            Self::CheckerFrozen => service(checker, Deed::Freeze, 6_500..13_000),
            Self::BrokerKilled => broker(Deed::Kill, 300..5_000),
            Self::BrokerFrozen => broker(Deed::Freeze, 2_000..9_000),
            Self::BrokerWiped => broker(Deed::Wipe, 300..3_000),
            Self::TopicDeleted => Fault {
                target: Target::Broker,
                begin: Action::DeleteTopic,
                end: None,
                lasts_ms: 0..1,
            },
            Self::PostgresKilled => postgres(Deed::Kill),
            Self::PostgresStopped => postgres(Deed::Stop),
            Self::Cut => link(dice, Mode::Cut, 300..5_000),
            Self::Delayed => {
                let delay = Duration::from_millis(dice.within(&(20..400)));
                link(dice, Mode::Delay(delay), 3_000..12_000)
            }
            Self::Stalled => link(dice, Mode::Stall, 1_000..12_000),
            Self::Swallowed => link(dice, Mode::Swallow, 1_000..12_000),
            Self::Read => Fault {
                target: Target::Results,
                begin: Action::Read(Duration::from_millis(dice.within(&(4_000..15_000)))),
                end: Some(Action::Days),
                lasts_ms: 1_000..3_000,
            },
            Self::Repeated => Fault {
                target: Target::Results,
                begin: Action::Repeat(dice.within(&(0..1_000))),
                end: None,
                lasts_ms: 0..1,
            },
        }
    }
}

/// A fault of a service.
fn service(member: Member, deed: Deed, lasts_ms: Range<u64>) -> Fault {
    Fault {
        target: Target::Service(member),
        begin: Action::Service(member, deed),
        end: Some(Action::Service(member, deed.healed_by())),
        lasts_ms,
    }
}

/// A fault of the broker.
fn broker(deed: Deed, lasts_ms: Range<u64>) -> Fault {
    Fault {
        target: Target::Broker,
        begin: Action::Broker(deed),
        end: Some(Action::Broker(deed.healed_by())),
        lasts_ms,
    }
}

/// A fault of `PostgreSQL`.
fn postgres(deed: Deed) -> Fault {
    Fault {
        target: Target::Postgres,
        begin: Action::Postgres(deed),
        end: Some(Action::Postgres(deed.healed_by())),
        lasts_ms: 300..6_000,
    }
}

/// A fault of some link.
fn link(dice: &mut Dice, mode: Mode, lasts_ms: Range<u64>) -> Fault {
    let links = [
        Link::SchedulersDatabase,
        Link::CheckersDatabase,
        Link::SchedulersBroker,
        Link::CheckersBroker,
    ];
    let link = links
        .get(dice.below(links.len()))
        .copied()
        .unwrap_or(Link::CheckersBroker);
    Fault {
        target: Target::Link(link),
        begin: Action::Link(link, mode),
        end: Some(Action::Link(link, Mode::Pass)),
        lasts_ms,
    }
}

impl Deed {
    /// What makes it good.
    const fn healed_by(self) -> Self {
        match self {
            Self::Freeze => Self::Thaw,
            _ => Self::Start,
        }
    }
}

/// Faults until the end, by when all have healed.
fn faults(dice: &mut Dice, kinds: &[Kind], length_ms: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut busy: BTreeMap<Target, u64> = BTreeMap::new();
    let mut at = FIRST_MS;
    while at < length_ms {
        let kind = kinds.get(dice.below(kinds.len()));
        let Some(fault) = kind.map(|kind| kind.fault(dice)) else {
            break;
        };
        let ends = at + dice.within(&fault.lasts_ms);
        let free = busy.get(&fault.target).is_none_or(|until| *until <= at);
        if free && ends < length_ms {
            busy.insert(fault.target, ends + REST_MS);
            steps.push(step(at, fault.begin));
            steps.extend(fault.end.map(|end| step(ends, end)));
            at += dice.within(&PAUSE_MS);
        } else {
            // Something else, in a moment.
            at += 100;
        }
    }
    steps
}

/// What people do to the sites until the end.
fn changes(dice: &mut Dice, length_ms: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    for round in 1..length_ms / CHANGE_EVERY_MS {
        let at = round * CHANGE_EVERY_MS;
        steps.push(step(at, Action::Change(round)));
        if round % RARELY == 3 {
            let open = Duration::from_millis(dice.within(&(1_000..8_000)));
            steps.push(step(at, Action::ChangeSlowly(round, open)));
        }
        if round % RARELY == 5 {
            steps.push(step(at, Action::Apply(round)));
        }
    }
    steps
}

/// A step so many milliseconds from the start.
fn step(at_ms: u64, action: Action) -> Step {
    Step {
        at: Duration::from_millis(at_ms),
        action,
    }
}
