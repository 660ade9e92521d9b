//! What is done when: a function of the seed alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use testbed::Mode;

use crate::action::{Action, Operation};
use crate::fault::{FaultKind, Target};
use crate::random::Random;

/// When the first fault comes: the services have begun by then.
const FIRST_MS: u64 = 3_000;
/// The time from one fault to the next.
const PAUSE_MS: Range<u64> = 400..4_200;
/// From one change of sites to the next.
const CHANGE_EVERY_MS: u64 = 1_000;
/// Every so many changes of sites a slow one, and an application of a file.
const RARELY: u64 = 7;

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
    pub(crate) fn new(seed: u64, length: Duration, kinds: &[FaultKind]) -> Self {
        let mut random = Random::new(seed);
        let mut kinds = kinds.to_vec();
        // In some runs every row is counted by a checker that lives to tell.
        let counted = random.one_in(3);
        random.shuffle(&mut kinds);
        kinds.truncate(kinds.len() * 2 / 3);
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let mut steps = faults(&mut random, (&kinds, counted), length_ms);
        steps.extend(changes(&mut random, length_ms));
        steps.sort_by_key(|step| step.at);
        Self { steps }
    }

    /// A plan of these steps, at milliseconds from the start.
    pub(crate) fn of(steps: &[(u64, Action)]) -> Self {
        let steps = steps.iter().map(|&(at_ms, action)| step(at_ms, action));
        Self {
            steps: steps.collect(),
        }
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

    /// Whether it takes a disk that is `PostgreSQL`'s own.
    pub(crate) fn fills(&self) -> bool {
        let fill = Action::Postgres(Operation::Fill);
        self.steps.iter().any(|step| step.action == fill)
    }

    /// Whether checkers may not know which rows they have written.
    pub(crate) fn blurs_counts(&self) -> bool {
        self.steps.iter().any(|step| step.action.blurs_counts())
    }
}

/// Faults of these kinds until the end, by when all have healed; `counted`: none after which a checker does
/// not know what it has written.
fn faults(
    random: &mut Random,
    (kinds, counted): (&[FaultKind], bool),
    length_ms: u64,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut busy: BTreeMap<Target, u64> = BTreeMap::new();
    let mut at = FIRST_MS;
    while at < length_ms {
        let kind = kinds.get(random.below(kinds.len()));
        let Some(fault) = kind.map(|kind| kind.fault(random)) else {
            break;
        };
        let ends = at + random.within(&fault.lasts_ms);
        let free = busy.get(&fault.target).is_none_or(|until| *until <= at);
        let allowed = !(counted && fault.begin.blurs_counts());
        if free && allowed && ends < length_ms {
            busy.insert(fault.target, ends + fault.target.rest_ms());
            steps.push(step(at, fault.begin));
            steps.extend(fault.end.map(|end| step(ends, end)));
            at += random.within(&PAUSE_MS);
        } else {
            // Something else, in a moment.
            at += 100;
        }
    }
    steps
}

/// What people do to the sites until the end.
fn changes(random: &mut Random, length_ms: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    for round in 1..length_ms / CHANGE_EVERY_MS {
        let at = round * CHANGE_EVERY_MS;
        steps.push(step(at, Action::Change(round)));
        if round % RARELY == 3 {
            let open = Duration::from_millis(random.within(&(1_000..8_000)));
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

#[test]
fn a_plan_is_a_function_of_its_seed_and_all_of_it_heals() {
    let length = Duration::from_mins(1);
    for seed in 1..200 {
        let plan = Plan::new(seed, length, FaultKind::all());
        assert_eq!(plan.steps, Plan::new(seed, length, FaultKind::all()).steps);
        assert_ne!(
            plan.steps,
            Plan::new(seed + 1, length, FaultKind::all()).steps
        );
        assert!(plan.faults() >= 10, "seed {seed}: {}", plan.faults());
        assert!(plan.steps.iter().all(|step| step.at < length));
        let mut sick = BTreeMap::new();
        for step in &plan.steps {
            match step.action {
                Action::Service(id, operation) => {
                    sick.insert(Target::Service(id), !operation.heals())
                }
                Action::SetClock(id, ahead) => sick.insert(Target::Clock(id), ahead != 0),
                Action::Broker(operation) => sick.insert(Target::Broker, !operation.heals()),
                Action::Postgres(operation) => sick.insert(Target::Postgres, !operation.heals()),
                Action::Link(link, mode) => sick.insert(Target::Link(link), mode != Mode::Pass),
                _ => None,
            };
        }
        assert!(sick.values().all(|sick| !sick), "seed {seed}: {sick:?}");
    }
}
