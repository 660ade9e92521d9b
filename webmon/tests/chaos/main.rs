//! Chaos: whatever fails and heals, every due instant of every site is one row or inside a gap.
//!
//! `PostgreSQL`, Kafka, two schedulers and three checkers, all processes of this run's own, and links
//! between them that can be cut. A [plan] says what fails when; it is a function of the seed alone,
//! so a seed that fails fails again, as far as the machine allows. In the end everything is healed, and
//! the [final checks](final_checks) read `site`, `schedule_gap` and `check_result`.
//!
//! `ci/chaos` runs many seeds for long; without its variables this is a short run of a seed that
//! harms no data.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a helper of a test fails as the test does, and tells what is done"
)]

mod action;
mod background;
mod changes;
mod fault;
mod final_checks;
mod plan;
mod random;
mod services;
mod setup;
mod supervised_server;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::audit::Report;
use testbed::tables;
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use action::{Action, Operation};
use fault::FaultKind;
use plan::Plan;
use world::World;

/// The seed of the short run.
const SHORT_SEED: u64 = 18;
/// How long its faults last.
const SHORT: Duration = Duration::from_secs(22);
/// How long they last with a seed of one's own.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_and_heals_every_due_instant_is_accounted_for() {
    let seed = variable("WEBMON_CHAOS_SEED");
    let seconds = variable("WEBMON_CHAOS_SECONDS").map(Duration::from_secs);
    let plan = match seed {
        Some(seed) => Plan::new(seed, seconds.unwrap_or(LONG), FaultKind::all()),
        None => Plan::new(SHORT_SEED, seconds.unwrap_or(SHORT), &FaultKind::harmless()),
    };
    let seed = seed.unwrap_or(SHORT_SEED);
    // What runs in the background stays on this thread.
    LocalSet::new().run_until(Box::pin(run(seed, plan))).await;
}

/// While it stands still it is struck off the list of brokers, and when it answers again it says
/// that there are none: see `lib/stream/src/stranded.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_out_of_touch_is_found_again() {
    let plan = Plan::of(&[
        (3_000, Action::Broker(Operation::Freeze)),
        (6_500, Action::Broker(Operation::Thaw)),
        (14_000, Action::Broker(Operation::Freeze)),
        (19_100, Action::Broker(Operation::Thaw)),
    ]);
    LocalSet::new().run_until(Box::pin(run(0, plan))).await;
}

/// Its partitions begin with an epoch that is older than that of those whose place they take: librdkafka
/// then waits for a newer one for ever, see `lib/stream/src/subscription/partition_watch.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_after_a_restart_of_the_broker_is_read() {
    let plan = Plan::of(&[
        (1_000, Action::Broker(Operation::Kill)),
        (1_100, Action::Broker(Operation::Start)),
        (9_000, Action::DeleteTopic),
    ]);
    let going_on = async {
        let mut world = World::start(0, plan.fills()).await;
        let healed = follow(&mut world, &plan).await;
        world.assert_checked(healed).await;
    };
    let _alone = ALONE.lock().await;
    LocalSet::new().run_until(Box::pin(going_on)).await;
}

/// One run at a time in this process: each is a load of its own.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Runs the plan, and checks what came of it.
async fn run(seed: u64, plan: Plan) {
    let _alone = ALONE.lock().await;
    eprintln!("seed {seed}: {} faults", plan.faults());
    let mut world = World::start(seed, plan.fills()).await;
    let healed = follow(&mut world, &plan).await;
    let (in_background, failed) = world.background.end().await;
    for failure in &failed {
        eprintln!("{failure}");
    }
    let report = world.assert_accounted(&plan).await;
    world.assert_checked(healed).await;
    world.assert_honest().await;
    world.assert_audited().await;
    let counts = world.assert_counts(&plan).await;
    let defects = world.services.defects();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
    eprintln!(
        "services: {} gave up at start, {} drained late; {} of {in_background} actions in the background failed",
        world.services.gave_up,
        world.services.overdue,
        failed.len()
    );
    if variable("WEBMON_CHAOS_KEEP").is_some() {
        world.keep();
    }
    let seconds = world.age().as_secs();
    let faults = plan.faults();
    eprintln!(
        "seed {seed}: {seconds} s, {faults} faults, {}; {counts}; audit ok",
        summary(&report)
    );
}

/// Does all that is planned, and heals it; returns when that was, for the database.
async fn follow(world: &mut World, plan: &Plan) -> i64 {
    for step in &plan.steps {
        world.until(step.at).await;
        eprintln!("{:7.3} {:?}", world.age().as_secs_f64(), step.action);
        world.act(step.action);
    }
    world.heal().await;
    eprintln!("{:7.3} healed", world.age().as_secs_f64());
    tables::now(&world.tools.database).await
}

/// What was found, in a line.
fn summary(report: &Report) -> String {
    let missed: BTreeMap<_, _> = report
        .verdicts
        .iter()
        .filter_map(|(verdict, count)| Some((verdict.strip_prefix("missed/")?, count)))
        .collect();
    let reasons: Vec<_> = missed
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    format!(
        "{} due instants: {} missing, {} repeated, {} not due; {} missed ({}), {} in gaps, {} up",
        report.due,
        report.missing.len(),
        report.repeated.len(),
        report.foreign.len(),
        report.rows("missed"),
        reasons.join(", "),
        report.in_gaps,
        report.rows("up"),
    )
}

/// The number in an environment variable, if it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "`ci/chaos` says by the environment which run this is"
)]
fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
    )
}
