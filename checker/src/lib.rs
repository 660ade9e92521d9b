//! The path of a check, second half: from a task on Kafka to a row of `check_result`.
//!
//! ```text
//! intake ──► hold ──► lanes ──► recorder ──► ledger
//! ```
//!
//! [Intake](intake) is one thread that owns the [subscription]. It reads tasks into the [hold],
//! where each waits until it is due; then a waiting thread of the [lanes] takes it and
//! has the [probe] check the site. Results wait in a queue of the [recorder], which writes them in batches.
//! What is durable is closed in the subscription's [ledger](subscription::Ledger), which commits what is durable
//! and contiguous.
//!
//! When there is more to do than the lanes can, the hold [gives up](queue) what cannot be made in time, each
//! interval its share, and sites that [timed out](timed_out_sites) share a quarter of the slots.
//!
//! Data goes forward only, through bounded channels. A slow `PostgreSQL` fills the recorder, which
//! blocks the lanes, which stops the hold, which pauses intake; the group never notices.
//!
//! When a partition is revoked, nothing more is committed of it. The tasks that were read of it are checked for
//! [two seconds more](intake), and dropped after that; probes under way end, and all results are recorded. The checker
//! that gets the partition reads on from the last commit, looks up which late tasks have a row, and checks the others.
//! A site may be asked twice so, and has one row for the instant.
//!
//! A stop goes the same way as the data: intake commits and leaves the group, the hold gives out what is due for two
//! seconds more, the lanes finish their probes, the recorder writes what is left.

#[doc(hidden)]
pub mod bench_support;
pub mod cli;
pub mod command;
pub mod config;
pub mod descriptors;
#[cfg(test)]
mod fixtures;
mod follower;
mod held;
mod hold;
mod intake;
mod lanes;
pub mod memory;
mod metrics;
mod queue;
mod reload;
mod slots;
mod thread_count;
mod timed_out_sites;
mod trace;

use std::{sync::Arc, thread, time::Duration};

use color_eyre::eyre::{Result, WrapErr as _};
use contract::installation::Installation;
use probe::Prober;
use recorder::{Recorder, Repeats};
use runtime::{
    clock::Clock,
    conditions::{CHECKER, KAFKA, KAFKA_GROUP},
    service::Service,
    shutdown::Stages,
    telemetry::Condition,
};
use store::{DatabaseTime, Link, Pool};
use stream::subscription::{self, Conditions, Position, Subscription};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    held::Results,
    hold::Hold,
    intake::{Intake, Neighbours, Sorter, TaskReader},
    lanes::Ended,
    metrics::Metrics,
    reload::Adopter,
    trace::Tracer,
};

/// The connection that keeps the clock.
const POOL: Pool = connection("webmon-checker");
/// The connection of the recorder.
const RECORDER_POOL: Pool = connection("webmon-checker recorder");
/// The connection of the look-ups.
const REPEATS_POOL: Pool = connection("webmon-checker repeats");

/// Batches of durable positions on their way to intake: it takes them ten times a second.
const DONE_DEPTH: usize = 64;

/// Checks until the service is stopped.
pub async fn run(config: Config, service: Service) -> Result<()> {
    let slots = slots::usable(&config);
    let shown = &service.endpoints;
    let metrics = shown.register(Metrics::register);
    let working = service.conditions(CHECKER);
    let joined = shown.readiness().condition(KAFKA_GROUP);
    let store::Reached {
        database,
        identity,
        watched,
    } = store::reach(&service, &config.database, POOL).await?;
    let kafka = stream::reach(&service, &config.kafka).await?;
    let clock = Clock::measure(DatabaseTime(&database)).await?;
    let (tracer, exporter) = Tracer::start(config.traces.as_ref(), shown, &clock)?;
    shown.register(|registry| registry.register_collector(Box::new(clock.clone())));

    let hold = Arc::new(Hold::new(clock.clone()));
    let results = Arc::new(Results::default());
    let (durable, durable_positions) = mpsc::channel(DONE_DEPTH);
    let prober =
        Prober::new(&config.settings.probe, &Handle::current()).wrap_err("set up the probe")?;
    let shared = lanes::Shared::new(&hold, &results, &clock, &metrics);
    let (ended, lanes) = lanes::start(slots, &prober, &shared)?;
    let recorder = recorder(&config, &service, &results, &metrics, durable);
    let recorder = traced(recorder, tracer);
    let intake_ended = CancellationToken::new();
    let neighbours = Neighbours {
        hold: Arc::clone(&hold),
        results: Arc::clone(&results),
        clock: clock.clone(),
        metrics,
        _ended: intake_ended.clone().drop_guard(),
    };
    let subscription = subscribe(&config, &service, joined, durable_positions)?;
    let installation = identity.installation;
    let intake = task_intake(&config, &service, installation, subscription, neighbours);

    let mut stages = Stages::new(&service.stop);
    let (stop, asked) = (stages.stop(), stages.stop());
    let link = Link::over(database, config.database.clone(), POOL);
    let statuses = service.endpoints.tasks().clone();
    stages.spawn("clock", clock.keep(link, statuses, stop.clone()));
    let ready = service.keep_ready((watched, kafka.watched), working, stop.clone());
    stages.spawn("readiness", ready);
    stages
        .thread("intake", move || {
            intake.run(&asked);
            Ok(())
        })
        .wrap_err("start intake")?;
    let takeover = intake::time_at_the_end(config.settings.drain, &service.broker);
    stages.spawn("hold", close_hold(hold, intake_ended, stop, takeover));
    stages.spawn("record", record_all(recorder, ended, prober.clone()));
    tracing::info!(slots, "checking");
    let drain = config.settings.drain;
    Adopter::new(config, prober, lanes).start(&mut stages, service.reloads);
    exporter.after(stages.run(drain)).await
}

/// A connection of this name that records, or is to answer as fast as one that does.
const fn connection(name: &'static str) -> Pool {
    Pool {
        name,
        connections: 1,
        settings: recorder::SETTINGS,
    }
}

/// Joins the group of the checkers. What is `durable` is committed.
fn subscribe(
    config: &Config,
    service: &Service,
    joined: Condition,
    durable: mpsc::Receiver<Vec<Position>>,
) -> Result<Subscription> {
    let readiness = service.endpoints.readiness();
    let conditions = Conditions {
        joined,
        allowed: readiness.part(KAFKA),
        reachable: readiness.condition(KAFKA),
    };
    let settings = subscription::Settings {
        kafka: config.kafka.clone(),
        broker: service.broker.clone(),
        client_id: "webmon-checker",
        messages: "tasks",
    };
    Subscription::join(&settings, conditions, durable)
}

/// What records these results, and gives back the positions of durable ones.
fn recorder(
    config: &Config,
    service: &Service,
    results: &Arc<Results>,
    metrics: &Metrics,
    durable: mpsc::Sender<Vec<Position>>,
) -> Recorder<Position> {
    let link = Link::new(config.database.clone(), RECORDER_POOL);
    let (queue, feed, rows) = (
        Arc::clone(results),
        service.feed.clone(),
        metrics.rows.clone(),
    );
    Recorder::new(link, queue, durable, feed, rows)
}

/// What reads the tasks of this installation, and gives them to its neighbours.
fn task_intake(
    config: &Config,
    service: &Service,
    installation: Installation,
    subscription: Subscription,
    neighbours: Neighbours,
) -> Intake {
    let reader = TaskReader::new(&config.kafka, installation);
    let (clock, metrics) = (neighbours.clock.clone(), neighbours.metrics.clone());
    let sorter = Sorter::new(reader, service.broker.clone(), clock, metrics);
    let link = Link::new(config.database.clone(), REPEATS_POOL);
    let repeats = Repeats::new(link, Handle::current());
    Intake::new(subscription, sorter, repeats, neighbours)
}

/// The same, and what becomes durable is traced, if there is a tracer.
fn traced(recorder: Recorder<Position>, tracer: Option<Tracer>) -> Recorder<Position> {
    match tracer {
        Some(tracer) => recorder.on_durable(move |finished| tracer.recorded(finished)),
        None => recorder,
    }
}

/// Records until the lanes have ended, and watches for stalls as long as they probe: sites are not blamed for a
/// stall while the last checks end either.
async fn record_all(recorder: Recorder<Position>, ended: Ended, prober: Prober) -> Result<()> {
    let finished = CancellationToken::new();
    let _finished = finished.clone().drop_guard();
    let ticker = thread::Builder::new().name("stall ticker".to_owned());
    let ticker = ticker.spawn(move || prober.watch_for_stalls(&finished));
    drop(ticker.wrap_err("start the thread that ticks")?);
    recorder.run(ended.wait()).await;
    Ok(())
}

/// Closes the hold when intake has ended, and other checkers have had the time to take over what it had read.
async fn close_hold(
    hold: Arc<Hold>,
    intake_ended: CancellationToken,
    stop: CancellationToken,
    takeover: Duration,
) -> Result<()> {
    intake_ended.cancelled().await;
    // Intake may have died: then it is to be named first, and no other checker is waited for.
    let asked = stop.is_cancelled();
    stop.cancelled().await;
    if asked {
        tokio::time::sleep(takeover).await;
    }
    hold.close();
    Ok(())
}
