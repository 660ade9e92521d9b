//! Upkeep: what keeps the tables in order, beside the turns. Each is a [periodic](runtime::periodic) task.
//!
//! - [`days`] makes the partitions of `check_result`, a day each, ahead of time, and drops those that are older than
//!   the retention. Between its ticks it watches that each shard has its [row](shard_rows).
//! - [`pack`] writes the index of each finished day anew, so that it takes less room.
//! - [`reconcile`] records what was lost: due instants with neither a result nor a gap.
//!
//! All of them look at the tables and do what is left to do, so any number of schedulers may do it.

pub mod days;
mod owner;
pub mod pack;
pub mod reconcile;
mod shard_rows;

use runtime::{
    conditions::SCHEDULE,
    periodic::{Failures, Periodic},
    service::Service,
    shutdown::Stages,
};
use sea_orm::DatabaseConnection;
use store::Link;

use self::{days::KeepDays, pack::PackDays, reconcile::Reconciler, shard_rows::ShardRows};
use crate::{
    config::Config,
    connections::{RECONCILER, UPKEEP},
    metrics::Metrics,
};

/// Starts the tasks; the days are kept over `database`, the connection of the start.
pub(crate) fn start(
    stages: &mut Stages,
    service: &Service,
    config: &Config,
    database: DatabaseConnection,
    metrics: Metrics,
) {
    let (address, retention) = (&config.database, config.settings.retention);
    let statuses = service.endpoints.tasks();
    let keep_days = KeepDays {
        database: Link::over(database, address.clone(), UPKEEP),
        retention,
        shards: ShardRows::new(service.endpoints.readiness().part(SCHEDULE)),
    };
    let keep_days = Periodic::at_once(keep_days, KeepDays::failures());
    stages.spawn("days", keep_days.run(statuses.clone(), stages.stop()));
    let pack_days = PackDays::new(Link::new(address.clone(), UPKEEP), retention);
    let pack_days = Periodic::at_once(pack_days, Failures::LoggedByTask);
    stages.spawn("pack", pack_days.run(statuses.clone(), stages.stop()));
    let link = Link::new(address.clone(), RECONCILER);
    let reconciler = Reconciler::new(link, retention, metrics);
    let reconciler = Periodic::at_once(reconciler, Reconciler::failures());
    stages.spawn("reconcile", reconciler.run(statuses.clone(), stages.stop()));
}
