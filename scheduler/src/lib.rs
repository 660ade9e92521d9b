//! The path of a check, first half: from a row of `site` to a task on Kafka.
//!
//! ```text
//! claim ──► stamp ──► due ──► publish ──► advance
//! ```
//!
//! A [turn] is one transaction. It [claims](claim) the shards that lie furthest behind,
//! [stamps](stamp) rows that were changed, finds the sites that are [due] up to the horizon and
//! [publishes](publish) a task for each of their instants. When Kafka has acknowledged all of them the
//! shards advance and the transaction commits. Nothing is written per check, nothing is kept per site.
//!
//! Each turn looks at the [progress of all shards](shard_progress) first. What it finds is the [health] of the
//! schedule that people are shown, and shards that lie too far [ahead] are set back to now.
//!
//! [Turns](turns) follow one another at a [pace] of their own, each in a [worker]. Any number of schedulers may
//! run: they share the shards by locking them, and one that dies rolls back. Beside the turns the [upkeep] of the
//! tables goes on: days of results are made, dropped and packed, and lost checks are recorded.

mod ahead;
mod claim;
pub mod cli;
pub mod config;
mod connections;
mod due;
mod failing_shards;
mod health;
mod metrics;
mod pace;
mod publish;
mod reload;
mod shard_progress;
mod stamp;
mod trace;
mod turn;
mod turns;
pub mod upkeep;
mod wall_clock;
mod worker;

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    conditions::SCHEDULER, config::Configuration as _, service::Service, shutdown::Stages,
    telemetry::Logs,
};

use crate::{
    config::Config, connections::UPKEEP, health::Health, metrics::Metrics, trace::Tracer,
    turns::Turns, upkeep::days,
};

/// The time for a stop: the turns under way may end.
pub const DRAIN: Duration = Duration::from_secs(20);

/// Schedules until the service is stopped.
pub async fn run(config: Config, service: Service) -> Result<()> {
    let metrics = service.endpoints.register(Metrics::register);
    let working = service.conditions(SCHEDULER);
    let store::Reached {
        database,
        identity,
        watched,
    } = store::reach(&service, &config.database, UPKEEP).await?;
    let kafka = stream::reach(&service, &config.kafka).await?;
    days::make_first(&database, &service.stop).await?;
    let mut stages = Stages::new(&service.stop);
    let tracer = Tracer::start(&config, &service.endpoints);
    let (tracer, exporter) = tracer.wrap_err("start a thread that exports traces")?;
    let health = Health::new(&config, metrics.clone(), service.endpoints.readiness());
    let broker = service.broker.clone();
    let sender = publish::Settings::new(&config.kafka, identity.installation, broker);
    sender.request_size().learn(kafka.topic.message_bytes);
    let turns = Turns::new(config.clone(), health, tracer, &sender)?;
    stages.spawn("turns", turns.run(stages.stop()));
    let watched = (watched, kafka.watched);
    let ready = service.keep_ready(watched, working, stages.stop());
    stages.spawn("readiness", ready);
    upkeep::start(&mut stages, &service, &config, database, metrics);
    tracing::info!(horizon = ?config.settings.horizon, turn = ?config.settings.turn, "scheduling");
    if let Some(reloads) = service.reloads {
        let mut config = config;
        let adopt = move |logs: &Logs, new| reload::adopt(logs, &mut config, new);
        stages.spawn("reload", reloads.keep(Config::load, adopt, stages.stop()));
    }
    exporter.after(stages.run(DRAIN)).await
}
