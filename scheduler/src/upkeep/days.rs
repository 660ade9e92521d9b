//! Days: partitions of `check_result` are made ahead of time and dropped when they have aged.
//!
//! A day is made by the database's own function `webmon_make_day`; a recorder that meets a missing
//! day calls it too. Dropping does not wait for a reader: behind one long reader every insert would
//! queue up after it, so it gives up after 200 ms and is tried again a minute later.

use std::{convert::Infallible, time::Duration};

use color_eyre::eyre::{Report, Result, WrapErr as _, eyre};
use runtime::periodic::{Failure, Failures, Task};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait as _};
use store::{Link, days, schedule_gap, sqlstate};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::{owner, shard_rows::ShardRows};

/// How often days are made and dropped.
const EVERY: Duration = Duration::from_mins(1);
/// How long making the first ones may take: what a start waits for elsewhere, too.
const FIRST_LIMIT: Duration = Duration::from_secs(30);

/// The days that are needed and not there, as `2026-11-30`.
pub async fn missing(database: &DatabaseConnection) -> Result<Vec<String>> {
    let rows = database
        .query_all_raw(days::missing())
        .await
        .wrap_err("look for missing days of check_result")?;
    let days = rows.iter().map(|row| row.try_get("", "day"));
    days.collect::<Result<_, _>>().wrap_err("read a day")
}

/// Makes the days that are needed now.
pub(crate) async fn make(database: &DatabaseConnection) -> Result<()> {
    for day in missing(database).await? {
        // A statement of its own, so that each day is a transaction of its own.
        database
            .execute_raw(days::make(&day))
            .await
            .wrap_err_with(|| format!("make the day {day} of check_result"))?;
        debug!(day, "made a day of check_result");
    }
    Ok(())
}

/// Makes them before anything is scheduled, unless `stop` comes first. A database that falls silent just then
/// ends the start.
pub(crate) async fn make_first(
    database: &DatabaseConnection,
    stop: &CancellationToken,
) -> Result<()> {
    let made = stop.run_until_cancelled(timeout(FIRST_LIMIT, make(database)));
    match made.await {
        Some(Err(_)) => Err(eyre!(
            "cannot make the days of check_result: no answer within {FIRST_LIMIT:?}; check the database"
        )),
        Some(Ok(made)) => made,
        None => Ok(()),
    }
}

/// Drops the days, and deletes the gaps, that ended longer ago than `retention`.
pub(crate) async fn drop_aged(database: &DatabaseConnection, retention: Duration) -> Result<()> {
    let aged = database.query_all_raw(days::aged(retention)).await;
    for row in aged.wrap_err("look for aged days of check_result")? {
        let table: String = row.try_get("", "day").wrap_err("read the name of a day")?;
        match drop_day(database, &table).await {
            Ok(()) => info!(table, "dropped a day that is older than the retention"),
            Err(error) if is_in_use(&error) => {
                debug!(table, "a day is in use, it is dropped later: {error:#}");
            }
            Err(error) => return Err(error).wrap_err_with(|| {
                format!(
                    "drop the day {table} (a member of webmon_scheduler may, see `migration grant`)"
                )
            }),
        }
    }
    database
        .execute_raw(schedule_gap::delete_aged(retention))
        .await
        .wrap_err("delete aged gaps of the schedule")?;
    Ok(())
}

/// Whether a table was not free in time.
fn is_in_use(error: &Report) -> bool {
    let Some(DbErr::Exec(RuntimeErr::SqlxError(error))) = error.downcast_ref() else {
        return false;
    };
    sqlstate::of(error).as_deref() == Some(sqlstate::LOCK_NOT_AVAILABLE)
}

/// Drops one day, as the owner of the tables, unless it is in use. The name is one of [`days::aged`], as SQL writes it.
async fn drop_day(database: &DatabaseConnection, table: &str) -> Result<()> {
    let transaction = database.begin().await?;
    transaction.execute_unprepared(days::DO_NOT_WAIT).await?;
    owner::become_for(&transaction).await?;
    transaction
        .execute_unprepared(&days::drop_table(table))
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// The task that keeps the days in order, and looks after the [rows of the shards](ShardRows) meanwhile.
#[derive(Debug)]
pub(super) struct KeepDays {
    /// The connection of both, as neither needs it for long.
    pub(super) database: Link,
    /// How long results and gaps are kept.
    pub(super) retention: Duration,
    /// The rows of the shards.
    pub(super) shards: ShardRows,
}

impl KeepDays {
    /// How its failures are logged.
    pub(super) fn failures() -> Failures {
        Failures::outage("what keeps the days of check_result in order (PostgreSQL)")
    }

    /// Makes the days that are needed, and drops those that have aged.
    async fn keep(&mut self) -> Result<()> {
        let database = self.database.get().await?;
        make(database).await?;
        drop_aged(database, self.retention).await
    }
}

impl Task for KeepDays {
    const NAME: &'static str = "days";
    const PERIOD: Duration = EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let kept = timeout(EVERY, self.keep()).await;
        let kept = kept.unwrap_or_else(|_| Err(eyre!("no answer for {EVERY:?}")));
        if kept.is_err() {
            // It may be the connection.
            self.database.cut();
        }
        Ok(kept?)
    }

    async fn between(&mut self) -> Infallible {
        self.shards.watch(&mut self.database).await
    }
}
