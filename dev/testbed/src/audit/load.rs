//! Reads the tables that an audit reads.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, QueryResult, Statement};

use super::{Gap, Row, Site, Tables};

/// Enabled sites that were scheduled.
const SITES: &str = "
    SELECT id, name, interval_ms::bigint,
           (extract(epoch FROM scheduled_from) * 1000)::bigint AS scheduled_from,
           (extract(epoch FROM check_at) * 1000)::bigint AS check_at
    FROM site WHERE enabled AND scheduled_from IS NOT NULL";

/// The spans that were not scheduled.
const GAPS: &str = "
    SELECT shard::int, (extract(epoch FROM since) * 1000)::bigint AS since,
           (extract(epoch FROM until) * 1000)::bigint AS until
    FROM schedule_gap";

/// The results.
const ROWS: &str = "
    SELECT site_id, (extract(epoch FROM scheduled_at) * 1000)::bigint AS scheduled_at,
           (extract(epoch FROM started_at) * 1000000)::bigint AS started_at_us,
           concat_ws('/', outcome, reason) AS verdict
    FROM check_result";

/// Reads what an audit reads.
pub async fn load(database: &DatabaseConnection) -> Tables {
    Tables {
        sites: read(database, SITES, site).await,
        gaps: read(database, GAPS, gap).await,
        rows: read(database, ROWS, row).await,
    }
}

/// How many enabled sites wait to be stamped, and are not audited yet.
pub async fn unstamped(database: &DatabaseConnection) -> i64 {
    let sql = "SELECT count(*) FROM site WHERE enabled AND scheduled_from IS NULL";
    let counts: Vec<i64> = read(database, sql, |row| row.try_get_by_index(0)).await;
    counts.into_iter().sum()
}

/// Every row of a query.
async fn read<T>(
    database: &DatabaseConnection,
    sql: &str,
    decode: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Vec<T> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await.expect(sql);
    rows.iter().map(|row| decode(row).expect(sql)).collect()
}

/// A row of [`SITES`].
fn site(row: &QueryResult) -> Result<Site, DbErr> {
    Ok(Site {
        id: row.try_get("", "id")?,
        name: row.try_get("", "name")?,
        interval_ms: row.try_get("", "interval_ms")?,
        scheduled_from: row.try_get("", "scheduled_from")?,
        check_at: row.try_get("", "check_at")?,
    })
}

/// A row of [`GAPS`].
fn gap(row: &QueryResult) -> Result<Gap, DbErr> {
    let shard: i32 = row.try_get("", "shard")?;
    Ok(Gap {
        shard: shard.unsigned_abs(),
        since: row.try_get("", "since")?,
        until: row.try_get("", "until")?,
    })
}

/// A row of [`ROWS`].
fn row(row: &QueryResult) -> Result<Row, DbErr> {
    Ok(Row {
        site_id: row.try_get("", "site_id")?,
        scheduled_at: row.try_get("", "scheduled_at")?,
        started_at_us: row.try_get("", "started_at_us")?,
        verdict: row.try_get("", "verdict")?,
    })
}
