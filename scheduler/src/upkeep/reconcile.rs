//! Reconcile: due instants with neither a row nor a gap are recorded as `missed` / `lost`.
//!
//! One statement looks at the sites of all shards over a time, either at the instants whose tasks have expired
//! (every checker has had its chance) or at those that are due (nothing can be in flight). Of a site it looks only
//! at what is later than `scheduled_from`, the instant from which its row has been scheduled as it is now. `lost` is
//! provisional: a check that was made after all replaces it. A running scheduler looks once a minute.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use contract::{GRACE, instant::millis};
use runtime::periodic::{Failure, Failures, Task};
use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult as _};
use store::{
    Link,
    check_result::{self, Losses},
    schedule_shard::{self, Extent},
};
use tokio::time::timeout;
use tracing::warn;

use crate::{ahead, metrics::Metrics};

/// How often a running scheduler looks for losses. Each look reads all sites once.
const EVERY: Duration = Duration::from_mins(1);
/// A look is not made for less than this, in milliseconds: another scheduler has just looked. Half of
/// [`EVERY`], as two looks of one scheduler are a minute apart give or take milliseconds.
const LEAST_LOOK_MS: i64 = 30_000;
/// The time for one look.
const LIMIT: Duration = Duration::from_mins(10);

/// About how many instants one statement looks at.
const INSTANTS_PER_STEP: f64 = 100_000.0;
/// The shortest time that one statement looks at, in milliseconds.
const LEAST_STEP_MS: i64 = 60_000;
/// The longest, in milliseconds.
const MOST_STEP_MS: i64 = 86_400_000;

/// Which instants must have left a result by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutoff {
    /// Those whose tasks expired [`GRACE`] ago or earlier: for a running system.
    Expired,
    /// Those that are due by now: for a system in which nothing is in flight.
    Due,
}

/// Records all losses that are not recorded yet, as far back as results are kept; returns how many instants were
/// lost.
pub async fn reconcile(
    database: &DatabaseConnection,
    cutoff: Cutoff,
    retention: Duration,
) -> Result<u64> {
    let extent = extent(database, cutoff, retention).await?;
    record_lost(database, cutoff, extent).await
}

/// The task that looks for losses. Of several schedulers one does the work: what another has looked at within the
/// last half minute is left alone.
#[derive(Debug)]
pub(super) struct Reconciler {
    /// The connection.
    database: Link,
    /// How long results are kept.
    retention: Duration,
    /// Where losses are counted.
    metrics: Metrics,
    /// Whether it has not looked yet.
    first: bool,
}

impl Reconciler {
    /// A task that has not looked yet.
    pub(super) const fn new(database: Link, retention: Duration, metrics: Metrics) -> Self {
        Self {
            database,
            retention,
            metrics,
            first: true,
        }
    }

    /// How its failures are logged.
    pub(super) fn failures() -> Failures {
        Failures::outage("PostgreSQL, asked for lost checks,")
    }

    /// Looks once.
    async fn look(&mut self) -> Result<u64> {
        look(self.database.get().await?, self.retention, self.first).await
    }
}

impl Task for Reconciler {
    const NAME: &'static str = "reconcile";
    const PERIOD: Duration = EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let looked = timeout(LIMIT, self.look()).await;
        match looked.unwrap_or_else(|_| Err(eyre!("no end within {LIMIT:?}"))) {
            Ok(lost) => {
                self.first = false;
                note(&self.metrics, lost);
                Ok(())
            }
            Err(error) => {
                self.database.cut();
                Err(error.into())
            }
        }
    }
}

/// Takes note of what was lost.
fn note(metrics: &Metrics, lost: u64) {
    if lost > 0 {
        metrics.lost(lost);
        warn!(
            lost,
            "checks were lost on the way, they are recorded as missed"
        );
    }
}

/// Records the losses among what has expired, unless that is little; returns how many instants were lost. Sites that
/// would not be looked at for long are found by the `first` look, and by each that records losses.
async fn look(database: &DatabaseConnection, retention: Duration, first: bool) -> Result<u64> {
    let extent = extent(database, Cutoff::Expired, retention).await?;
    let little = extent.until.ms_since(extent.since) < LEAST_LOOK_MS;
    if first || !little {
        let sites = ahead::unstamp(database).await?;
        if sites > 0 {
            warn!(
                sites,
                "sites were to be judged from a later instant on than any that is scheduled: judged from now on"
            );
        }
    }
    if little {
        return Ok(0);
    }
    record_lost(database, Cutoff::Expired, extent).await
}

/// For a system whose broker forgot everything: what was due and left no result is recorded as lost,
/// and what was scheduled ahead of its due instant is scheduled again. Nothing else may be running.
pub async fn start_over(database: &DatabaseConnection, retention: Duration) -> Result<u64> {
    // First, so that no instant falls between what is reconciled and what is scheduled again.
    rewind(database).await?;
    reconcile(database, Cutoff::Due, retention).await
}

/// Forgets what was scheduled ahead of its due instant. Nothing may be in flight.
pub async fn rewind(database: &DatabaseConnection) -> Result<()> {
    database
        .execute_raw(schedule_shard::rewind())
        .await
        .wrap_err("schedule again what was scheduled ahead")?;
    Ok(())
}

/// Reads how far the shards may be reconciled.
async fn extent(
    database: &DatabaseConnection,
    cutoff: Cutoff,
    retention: Duration,
) -> Result<Extent> {
    let grace = match cutoff {
        Cutoff::Expired => GRACE,
        Cutoff::Due => Duration::ZERO,
    };
    let row = database
        .query_one_raw(schedule_shard::extent(grace, retention))
        .await
        .wrap_err("read how far the shards were judged")?;
    let row = row.ok_or_else(|| eyre!("schedule_shard is empty: run `webmon repair`"))?;
    Extent::from_query_result(&row, "").wrap_err("read how far the shards were judged")
}

/// Records the losses of an extent, step by step.
async fn record_lost(database: &DatabaseConnection, cutoff: Cutoff, extent: Extent) -> Result<u64> {
    let expired = cutoff == Cutoff::Expired;
    let mut lost = 0;
    let mut since = extent.since;
    // Of what is due one step at least: what was reconciled up to here may have left out what had not expired.
    let mut left_out = !expired;
    while left_out || since < extent.until {
        let until = extent.until.min(since.plus_ms(step_ms(extent.rate)));
        let losses = Losses {
            since,
            until,
            reach_back: expired || left_out,
            expired,
        };
        let done = database
            .execute_raw(check_result::record_lost(losses))
            .await;
        lost += done.wrap_err("record lost checks")?.rows_affected();
        database
            .execute_raw(schedule_shard::advance_reconciled(until))
            .await
            .wrap_err("move reconciled_until")?;
        (since, left_out) = (until, false);
    }
    Ok(lost)
}

/// The time that a step looks at, for so many due instants per second.
fn step_ms(rate: f64) -> i64 {
    let seconds = Duration::try_from_secs_f64(INSTANTS_PER_STEP / rate).unwrap_or(Duration::MAX);
    millis(seconds).clamp(LEAST_STEP_MS, MOST_STEP_MS)
}
