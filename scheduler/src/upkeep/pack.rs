//! Pack: the index of a finished day is written anew, with full pages.
//!
//! The rows of a site come one by one, so the pages of the primary key's index split in half: it takes
//! about 42 bytes a row, a full one 28. A day that gets no more rows is packed by `REINDEX CONCURRENTLY`,
//! for which neither readers nor writers wait; it waits for both. (*Not* a day that is written: two who
//! insert the same new key meanwhile may meet an error in spite of `ON CONFLICT`.) The table itself is
//! left alone: its rows come once and leave no holes.
//!
//! The catalog alone says what is left to do: the last step is a [comment](Day::steps) on the index, which
//! stays when it is written anew. The fill factor is no such mark, as it must be set before, nor is the
//! size, which late rows change. What was interrupted is done again, without what it left behind.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use runtime::periodic::{Failure, Task};
use sea_orm::DatabaseConnection;
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, PgConnection, raw_sql};
use store::Link;
use store::days::pack::{self as statements, Day, Ended};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::owner;

/// How often finished days are looked for: there is one a day, and what failed is costly to repeat.
const EVERY: Duration = Duration::from_hours(1);

/// When a day is finished, counted from its end: its last task expires within a day, and the rest is for
/// results that a checker could not record at once. A row that comes later still is welcome, it only
/// makes the index less full.
const FINISHED: Duration = Duration::from_hours(25);

/// A day that is dropped sooner than this is not worth the work.
const LEAST_USE: Duration = Duration::from_hours(24);

/// How long one day may take, its wait for long readers included. It cannot be dropped meanwhile, so this
/// is less than [`LEAST_USE`].
const PATIENCE: Duration = Duration::from_hours(6);

/// When the server is given up: it has not even said that a statement took longer than [`PATIENCE`].
const NO_ANSWER: Duration = PATIENCE.saturating_add(Duration::from_mins(1));

/// Which days are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// Those that get no more rows, and are kept for a while yet: for a running system.
    Finished {
        /// How long results are kept.
        retention: Duration,
    },
    /// Whatever there is: for a system in which nothing is recorded.
    All,
}

/// Packs days one after the other, unless another scheduler does. A day that fails does not hold up the
/// others; the error is the first.
///
/// The connection is of its own: with it ends the lock, however it ends.
pub async fn pack(database: &DatabaseConnection, days: Days) -> Result<()> {
    let pooled = database.get_postgres_connection_pool().acquire().await;
    let mut connection = pooled.wrap_err("connect to pack days")?.detach();
    let mut outcome = Ok(());
    for day in in_time(unpacked(&mut connection, days)).await?? {
        let packed = in_time(pack_day(&day, &mut connection)).await?;
        outcome = outcome.and(packed.wrap_err_with(|| format!("pack {}", day.index)));
    }
    let closed = in_time(connection.close()).await?;
    outcome.and(closed.wrap_err("end the session that packed days"))
}

/// Waits for an answer, but not for ever; without one the connection is good for nothing.
async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T> {
    let answer = timeout(NO_ANSWER, answer).await;
    answer.wrap_err_with(|| format!("pack days: no answer for {NO_ANSWER:?}"))
}

/// Prepares a session for packing; returns the days that are left to it.
async fn unpacked(connection: &mut PgConnection, days: Days) -> Result<Vec<Day>> {
    execute(connection, statements::settings(PATIENCE)).await?;
    owner::become_in(connection).await?;
    if !statements::try_lock(connection).await? {
        debug!("somebody else packs");
        return Ok(Vec::new());
    }
    let ended = match days {
        Days::Finished { retention } => Ended::Ago(FINISHED, retention.saturating_sub(LEAST_USE)),
        Days::All => Ended::AnyTime,
    };
    let unpacked = statements::unpacked(connection, ended).await;
    unpacked.wrap_err("look for days of check_result to pack")
}

/// Packs a day.
async fn pack_day(day: &Day, connection: &mut PgConnection) -> Result<()> {
    for leftover in day.leftovers(connection).await? {
        execute(connection, statements::drop_leftover(&leftover)).await?;
    }
    let before = day.size(connection).await.wrap_err("read the size")?;
    for step in day.steps() {
        execute(connection, step).await?;
    }
    let after = day.size(connection).await.wrap_err("read the size")?;
    info!(
        table = day.table,
        index.bytes_before = before,
        index.bytes_after = after,
        "packed a day"
    );
    Ok(())
}

/// Runs statements whose names are from the catalog.
async fn execute(connection: &mut PgConnection, sql: String) -> Result<()> {
    let done = raw_sql(AssertSqlSafe(sql.as_str()))
        .execute(connection)
        .await;
    done.wrap_err(sql)?;
    Ok(())
}

/// The task that packs the days that are finished.
#[derive(Debug)]
pub(super) struct PackDays {
    /// The connection; a new one for each tick.
    database: Link,
    /// How long results are kept.
    retention: Duration,
    /// Whether the last tick failed.
    failing: bool,
}

impl PackDays {
    /// A task that has not packed yet.
    pub(super) const fn new(database: Link, retention: Duration) -> Self {
        Self {
            database,
            retention,
            failing: false,
        }
    }

    /// Packs the days that are finished.
    async fn pack(&mut self) -> Result<()> {
        let retention = self.retention;
        let database = self.database.get().await?;
        pack(database, Days::Finished { retention }).await
    }
}

impl Task for PackDays {
    const NAME: &'static str = "pack";
    const PERIOD: Duration = EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let packed = self.pack().await;
        match &packed {
            Err(error) if self.failing => {
                debug!("still cannot pack all finished days: {error:#}");
            }
            Err(error) => warn!("cannot pack all finished days, trying hourly: {error:#}"),
            Ok(()) => {}
        }
        self.failing = packed.is_err();
        // It may be the connection, and it is long before the next.
        self.database.cut();
        Ok(packed?)
    }
}
