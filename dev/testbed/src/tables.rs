//! What every test of the whole path asks of the tables.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};

use crate::audit::{self, Report};
use crate::wait::eventually;

/// How long what is due may take to be scheduled, after its time.
const SCHEDULING: Duration = Duration::from_secs(30);
/// How long what was scheduled may take to be recorded: crashes included, which cost a consumer
/// group its session timeout.
const RECORDING: Duration = Duration::from_secs(40);

/// A number from a database.
pub async fn number(connection: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.expect(sql);
    row.and_then(|row| row.try_get_by_index(0).ok()).expect(sql)
}

/// A database's time, in milliseconds since the Unix epoch.
pub async fn now(connection: &DatabaseConnection) -> i64 {
    number(
        connection,
        "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    )
    .await
}

/// The installation of a database, as messages name it.
pub async fn installation(connection: &DatabaseConnection) -> String {
    let sql = "SELECT left(id::text, 8) FROM installation";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.expect(sql);
    row.and_then(|row| row.try_get_by_index(0).ok()).expect(sql)
}

/// Waits until everything up to this instant is scheduled.
pub async fn scheduled_until(connection: &DatabaseConnection, instant: i64) {
    let ahead = instant
        .saturating_sub(now(connection).await)
        .max(0)
        .unsigned_abs();
    let what = format!("every shard is scheduled up to {instant}");
    let sql =
        "SELECT (extract(epoch FROM min(scheduled_until)) * 1000)::bigint FROM schedule_shard";
    eventually(
        SCHEDULING + Duration::from_millis(ahead),
        &what,
        async || (number(connection, sql).await >= instant).then_some(()),
    )
    .await;
}

/// Waits until everything that was due up to this instant is recorded, and says what it was; what is
/// still missing in the end is in the report.
pub async fn audit(connection: &DatabaseConnection, until: i64) -> Report {
    scheduled_until(connection, until).await;
    eventually(SCHEDULING, "every enabled site is stamped", async || {
        (audit::unstamped(connection).await == 0).then_some(())
    })
    .await;
    let end = Instant::now() + RECORDING;
    eventually(RECORDING * 2, "the audit ends", async || {
        let report = audit::examine(&audit::load(connection).await, until);
        let over = report.missing.is_empty() || Instant::now() >= end;
        over.then_some(report)
    })
    .await
}
