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
//! Each turn [looks](standing) at all shards first: what it finds is the [outlook] that people are given, and shards
//! that lie too far [ahead] are set back.
//!
//! [Turns](turns) follow one another at a [pace] of their own. Any number of schedulers may run:
//! they share the shards by locking them, and one that dies rolls back. Beside the turns the
//! [days] of `check_result` are made ahead of time and dropped when they have aged, and [pack]
//! makes those smaller that are finished; [reconcile] finds what was lost all the same.

mod ahead;
mod claim;
pub mod cli;
pub mod config;
pub mod days;
mod due;
mod metrics;
mod outlook;
mod owner;
mod pace;
pub mod pack;
mod publish;
pub mod reconcile;
mod reload;
mod set_back;
mod shards;
mod slot;
mod sql;
mod stamp;
mod standing;
mod trace;
mod troubles;
mod turn;
mod turns;

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    conditions::{SCHEDULE, SCHEDULER},
    config::Configuration as _,
    service::Service,
    shutdown::Stages,
    telemetry::Logs,
};
use store::{Link, Pool};

use crate::{
    config::Config, metrics::Metrics, outlook::Outlook, shards::Shards, trace::Tracer, turns::Turns,
};

/// The time for a stop: the turns under way may end.
pub const DRAIN: Duration = Duration::from_secs(20);

/// The connection of `days`, and that of `pack`.
const POOL: Pool = Pool {
    name: "webmon-scheduler",
    connections: 1,
    settings: &[("jit", "off")],
};

/// The connection of `reconcile`. Its statement ends with the look that asked, or soon after the scheduler.
/// It reads rows of many sites that lie side by side, each page once, by a bitmap; the planner, which
/// guesses the sizes of arrays, would go from site to site and meet each page dozens of times.
const RECONCILER: Pool = Pool {
    name: "webmon-scheduler reconciler",
    connections: 1,
    settings: &[
        ("jit", "off"),
        ("enable_indexscan", "off"),
        ("enable_indexonlyscan", "off"),
        ("statement_timeout", "590s"),
        ("client_connection_check_interval", "1s"),
    ],
};

/// Schedules until the service is stopped.
pub async fn run(config: Config, service: Service) -> Result<()> {
    let metrics = service.endpoints.register(Metrics::register);
    let working = service.conditions(SCHEDULER);
    let store::Reached {
        database,
        identity,
        watched,
    } = store::reach(&service, &config.database, POOL).await?;
    let kafka = stream::reach(&service, &config.kafka).await?;
    days::make_first(&database, &service.stop).await?;
    let mut stages = Stages::new(&service.stop);
    let tracer = Tracer::start(&config, &service.endpoints);
    let (tracer, exporter) = tracer.wrap_err("start a thread that exports traces")?;
    let outlook = Outlook::new(&config, metrics.clone(), service.endpoints.readiness());
    let broker = service.broker.clone();
    let sender = publish::Settings::new(&config.kafka, identity.installation, broker);
    sender.request_size().learn(kafka.topic.message_bytes);
    let turns = Turns::new(config.clone(), outlook, tracer, &sender)?;
    stages.spawn("turns", turns.run(stages.stop()));
    let watched = (watched, kafka.watched);
    let ready = service.keep_ready(watched, working, stages.stop());
    stages.spawn("readiness", ready);
    let retention = config.retention;
    let link = Link::over(database, config.database.clone(), POOL);
    let shards = Shards::new(service.endpoints.readiness().part(SCHEDULE));
    let keep_days = days::keep(link, retention, shards, stages.stop());
    stages.spawn("days", keep_days);
    let link = Link::new(config.database.clone(), POOL);
    stages.spawn("pack", pack::keep(link, retention, stages.stop()));
    let link = Link::new(config.database.clone(), RECONCILER);
    let reconcile = reconcile::keep(link, retention, metrics, stages.stop());
    stages.spawn("reconcile", reconcile);
    tracing::info!(horizon = ?config.horizon, turn = ?config.turn, "scheduling");
    if let Some(reloads) = service.reloads {
        let mut config = config;
        let adopt = move |logs: &Logs, new| reload::adopt(logs, &mut config, new);
        stages.spawn("reload", reloads.keep(Config::load, adopt, stages.stop()));
    }
    exporter.after(stages.run(DRAIN)).await
}
