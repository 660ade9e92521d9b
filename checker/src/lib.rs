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
//! Data goes forward only, through bounded channels. A slow `PostgreSQL` fills the recorder, which
//! blocks the lanes, which stops the hold, which pauses intake; the group never notices.
//!
//! A stop goes the same way: intake commits and leaves the group, the lanes finish their probes, the
//! recorder writes what is left. Tasks still in the hold are not committed: whoever gets their
//! partitions reads them again.

pub mod command;
pub mod config;
mod consumer;
mod desk;
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

use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr as _};
pub use lanes::LANE_THREADS;
use runtime::{clock::Clock, database::Pool, service::Service, shutdown::Stages};
use tokio::{runtime::Handle, sync::mpsc};

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
    let joined = service.probes.readiness().condition("kafka group");
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
    let stalls = prober.clone();
    let recorder = Recorder::new(
        config.database.clone(),
        Arc::clone(&results),
        done,
        service.feed.clone(),
        metrics.clone(),
    );
    let links = Links {
        hold,
        results: Arc::clone(&results),
        done: durable,
        clock: clock.clone(),
        metrics,
        backlog: service.backlog.clone(),
        joined,
    };
    let repeats = Repeats::new(config.database.clone(), Handle::current());
    let intake = Intake::new(&config.kafka, repeats, links)?;

    let mut stages = Stages::new(&service.stop);
    let stop = stages.stop();
    stages.spawn("clock", keep_clock(clock, database, stop.clone()));
    stages
        .thread("intake", move || {
            intake.run(&stop);
            Ok(())
        })
        .wrap_err("start intake")?;
    let ticking = stages.stop();
    stages
        .thread("stall ticker", move || {
            stalls.watch_for_stalls(&ticking);
            Ok(())
        })
        .wrap_err("start the thread that ticks")?;
    stages.spawn("record", recorder.run(drained));
    tracing::info!(slots = config.slots, "checking");
    stages.run(config.drain).await
}

/// Measures the clock until the stop.
async fn keep_clock(
    clock: Clock,
    database: sea_orm::DatabaseConnection,
    stop: tokio_util::sync::CancellationToken,
) -> Result<()> {
    clock.keep(database, stop).await;
    Ok(())
}
