//! The path of a check, second half: from a task on Kafka to a row of `check_result`.
//!
//! ```text
//! intake ──► hold ──► lanes ──► probe ──► record ──► ledger
//! ```
//!
//! [Intake](intake) is one thread that owns Kafka's consumer. It reads tasks into the [hold],
//! where each waits until it is due; then a waiting thread of the [lanes] takes it and
//! [probes](probe) the site. Results are collected and [recorded](record) in
//! batches of [rows]. What is durable is closed in the [ledger], and intake commits what is
//! durable and contiguous.
//!
//! When there is more to do than the lanes can, the hold [gives up](queue) what cannot be made in time, each
//! interval its share, and sites that [hang](hanging) share a quarter of the lanes.
//!
//! Data goes forward only, through bounded channels. A slow `PostgreSQL` fills the recorder, which
//! blocks the lanes, which stops the hold, which pauses intake; the group never notices.
//!
//! A stop goes the same way: intake commits and leaves the group, the hold gives out what is due until
//! others have [taken over](handover), the lanes finish their probes, the recorder writes what is left. What
//! is not committed is read again by whoever gets the partitions, and found recorded.

pub mod command;
pub mod config;
mod consumer;
mod desk;
mod handover;
mod hanging;
mod hold;
mod intake;
mod lanes;
mod ledger;
mod metrics;
pub mod probe;
mod queue;
mod record;
mod repeats;
mod rows;
#[cfg(test)]
mod samples;
pub mod show;
#[doc(hidden)]
pub mod workbench;

use std::{sync::Arc, time::Duration};

use color_eyre::eyre::{Result, WrapErr as _};
pub use lanes::LANE_THREADS;
use runtime::{
    clock::Clock,
    database::{Link, Pool},
    service::{CHECKER, KAFKA, Service},
    shutdown::Stages,
};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    desk::Links,
    hold::Hold,
    intake::Intake,
    metrics::Metrics,
    probe::Prober,
    record::{Recorder, Results},
    repeats::Repeats,
};

/// The connection that keeps the clock; recorder and look-ups have their own.
const POOL: Pool = Pool {
    name: "webmon-checker",
    connections: 1,
    settings: rows::SETTINGS,
};

/// Batches of durable positions on their way to intake: it takes them ten times a second.
const DONE_DEPTH: usize = 64;

/// Checks until the service is stopped.
pub async fn run(config: Config, service: Service) -> Result<()> {
    let metrics = service.probes.register(Metrics::register);
    let condition = |name| service.probes.readiness().condition(name);
    let (working, joined) = (condition(CHECKER), condition("kafka group"));
    let database = service.reach(&config.database, &config.kafka, POOL).await?;
    let clock = Clock::measure(&database).await?;
    service
        .probes
        .register(|registry| registry.register_collector(Box::new(clock.clone())));

    let hold = Arc::new(Hold::new(clock.clone()));
    let results = Arc::new(Results::default());
    let (done, durable) = mpsc::channel(DONE_DEPTH);
    let prober = Prober::new(&config.probe, &Handle::current()).wrap_err("set up the probe")?;
    let links = lanes::Links {
        hold: Arc::clone(&hold),
        results: Arc::clone(&results),
        clock: clock.clone(),
        metrics: metrics.clone(),
    };
    let drained = lanes::start(config.slots, &prober, &links)?;
    let recorder = Recorder::new(
        config.database.clone(),
        Arc::clone(&results),
        done,
        service.feed.clone(),
        metrics.clone(),
    );
    let left = CancellationToken::new();
    let links = Links {
        hold: Arc::clone(&hold),
        results: Arc::clone(&results),
        done: durable,
        clock: clock.clone(),
        metrics,
        backlog: service.backlog.clone(),
        joined,
        reachable: service.probes.readiness().condition(KAFKA),
        _ended: left.clone().drop_guard(),
    };
    let repeats = Repeats::new(config.database.clone(), Handle::current());
    let intake = Intake::new(&config.kafka, repeats, links)?;

    let mut stages = Stages::new(&service.stop);
    let stop = stages.stop();
    let link = Link::over(database, config.database.clone(), POOL);
    stages.spawn("clock", keep_clock(clock, link, stop.clone()));
    let ready = service.keep_ready(&config.database, &config.kafka, working, stop.clone());
    stages.spawn("readiness", ready);
    // Sites are not blamed for a stall while the last checks end either.
    let finished = CancellationToken::new();
    start_threads(&mut stages, intake, (prober, finished.clone()))?;
    // Beside the embedded broker of a standalone there is nobody to hand over to.
    let lasts = handover::at_the_end(config.drain, service.backlog.is_some());
    stages.spawn("hold", close_hold(hold, left, stop, lasts));
    let recording = recorder.run(drained);
    stages.spawn("record", async move {
        let _finished = finished.drop_guard();
        recording.await
    });
    tracing::info!(slots = config.slots, "checking");
    stages.run(config.drain).await
}

/// Starts what needs a thread of its own: intake, and whoever watches for stalls.
fn start_threads(
    stages: &mut Stages,
    intake: Intake,
    (prober, finished): (Prober, CancellationToken),
) -> Result<()> {
    let asked = stages.stop();
    stages
        .thread("intake", move || {
            intake.run(&asked);
            Ok(())
        })
        .wrap_err("start intake")?;
    stages
        .thread("stall ticker", move || {
            prober.watch_for_stalls(&finished);
            Ok(())
        })
        .wrap_err("start the thread that ticks")
}

/// Measures the clock until the stop.
async fn keep_clock(clock: Clock, database: Link, stop: CancellationToken) -> Result<()> {
    clock.keep(database, stop).await;
    Ok(())
}

/// Closes the hold when intake has ended, and others have had the time to take over what it had.
async fn close_hold(
    hold: Arc<Hold>,
    left: CancellationToken,
    stop: CancellationToken,
    lasts: Duration,
) -> Result<()> {
    left.cancelled().await;
    // Intake may have died: then it is to be named first, and nobody is waited for.
    let asked = stop.is_cancelled();
    stop.cancelled().await;
    if asked {
        tokio::time::sleep(lasts).await;
    }
    hold.close();
    Ok(())
}
