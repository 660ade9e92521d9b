//! What the tables lack: rows that webmon cannot do without, and days of results.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::instant::millis;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};
use store::sql;
use tracing::info;

use super::{Action, Repair};

/// Whether the identity is missing.
const NO_IDENTITY: &str =
    "SELECT 'installation' AS name WHERE NOT EXISTS (SELECT FROM installation)";

/// Days whose `DETACH PARTITION CONCURRENTLY` did not end: no row of theirs is found.
const HALF_DETACHED: &str = "\
SELECT inhrelid::regclass::text AS name FROM pg_inherits
WHERE inhparent = 'check_result'::regclass AND inhdetachpending";

/// Tables that are called as days are, and are none. No row of theirs is found, and none can be recorded on that
/// day. What is older than the retention was detached to be kept, and is left alone.
const UNATTACHED: &str = "\
SELECT relname::text AS name FROM pg_class
WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'check_result'::regclass)
    AND relkind = 'r' AND NOT relispartition AND relname ~ '^check_result_[0-9]{8}$'
    AND right(relname, 8) >= to_char((now() - $1 * interval '1 millisecond') AT TIME ZONE 'UTC', 'YYYYMMDD')
ORDER BY relname";

/// Shards without a row, and until when each was scheduled: up to its last result or gap. Where there is none, since
/// its first site was. What was due later becomes a gap of the next turn, and what was due before without a row is
/// found by the reconciler.
const SHARDS: &str = "\
SELECT missing.id::text AS name, date_trunc('milliseconds', least(now(), coalesce(
    greatest(
        (SELECT max(last.scheduled_at) FROM site CROSS JOIN LATERAL (
            SELECT scheduled_at FROM check_result WHERE site_id = site.id ORDER BY scheduled_at DESC LIMIT 1
        ) AS last WHERE site.shard = missing.id),
        (SELECT max(until) FROM schedule_gap WHERE shard = missing.id)),
    (SELECT min(scheduled_from) FROM site WHERE shard = missing.id AND isfinite(scheduled_from)),
    now()))) AT TIME ZONE 'UTC' || '+00' AS until
FROM generate_series(0, 63) AS missing (id)
WHERE NOT EXISTS (SELECT FROM schedule_shard AS shard WHERE shard.id = missing.id)
ORDER BY missing.id";

/// Indexes that no query uses, as a statement that makes them concurrently did not end. What is being made now is
/// none of them.
const INVALID: &str = "\
SELECT indexrelid::regclass::text AS name
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_class AS tables ON tables.oid = indrelid
WHERE NOT indisvalid AND pg_class.relkind = 'i' AND tables.relnamespace = current_schema()::regnamespace
    AND tables.relname ~ '^(site|installation|schedule_|check_result)'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS progress WHERE progress.relid = indrelid)
    AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) | objid::bigint = hashtextextended('webmon_pack', 0))
ORDER BY name";

/// How long before its last scheduled instant a shard may have been judged: no check expires later than that.
const UNJUDGED: &str = "interval '1 day'";

/// The identity.
pub(super) async fn identity(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let missing = names(database, NO_IDENTITY).await?;
    let repair = |_| Repair {
        what: "give the database a new identity, as the table installation has no row".to_owned(),
        action: Action::Identity,
    };
    Ok(missing.into_iter().map(repair).collect())
}

/// Days that are half detached.
pub(super) async fn half_detached(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let days = names(database, HALF_DETACHED).await?;
    let repair = |day: String| Repair {
        what: format!("end the interrupted detaching of {day}"),
        action: Action::Alone(format!(
            "ALTER TABLE check_result DETACH PARTITION {day} FINALIZE"
        )),
    };
    Ok(days.into_iter().map(repair).collect())
}

/// Days that are not attached.
pub(super) async fn unattached(
    database: &DatabaseConnection,
    retention: Duration,
) -> Result<Vec<Repair>> {
    let ask = sql::statement(UNATTACHED, [millis(retention).into()]);
    let rows = database.query_all_raw(ask).await;
    let rows = rows.wrap_err("look for days that are not attached")?;
    let mut repairs = Vec::new();
    for row in rows {
        let table: String = name(&row)?;
        let digits = table.rsplit('_').next().unwrap_or_default();
        let day = NaiveDate::parse_from_str(digits, "%Y%m%d").ok();
        let Some((day, next)) =
            day.and_then(|day| Some((day, day.checked_add_days(Days::new(1))?)))
        else {
            info!(table, "the name of a table is that of no day: left alone");
            continue;
        };
        repairs.push(Repair {
            what: format!("attach {table} to check_result"),
            action: Action::Together(vec![format!(
                "ALTER TABLE check_result ATTACH PARTITION {table}
                 FOR VALUES FROM ('{day} 00:00:00+00') TO ('{next} 00:00:00+00')"
            )]),
        });
    }
    Ok(repairs)
}

/// Days that are not there.
pub(super) async fn days(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let days = scheduler::upkeep::days::missing(database).await?;
    let repair = |day: String| Repair {
        what: format!("make the day {day} of check_result"),
        action: Action::Together(vec![format!("SELECT webmon_make_day('{day}')")]),
    };
    Ok(days.into_iter().map(repair).collect())
}

/// Shards that are never scheduled.
pub(super) async fn shards(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let rows = database.query_all_raw(Statement::from_string(sql::POSTGRES, SHARDS));
    let mut repairs = Vec::new();
    for row in rows.await.wrap_err("look for missing shards")? {
        let shard = name(&row)?;
        let until: String = row.try_get("", "until").wrap_err("read a shard")?;
        repairs.push(Repair {
            what: format!(
                "add row {shard} of schedule_shard, scheduled until {until}: what was due since becomes a gap"
            ),
            action: Action::Together(vec![format!(
                "INSERT INTO schedule_shard (id, scheduled_until, reconciled_until)
                 VALUES ({shard}, '{until}', timestamptz '{until}' - {UNJUDGED}) ON CONFLICT DO NOTHING"
            )]),
        });
    }
    Ok(repairs)
}

/// Indexes that are not valid.
pub(super) async fn indexes(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let indexes = names(database, INVALID).await?;
    let repair = |index: String| {
        let rest = index.trim_end_matches(|c: char| c.is_ascii_digit() || c == '"');
        let (what, verb) = if rest.ends_with("_ccnew") || rest.ends_with("_ccold") {
            (
                "remove the rest of an interrupted",
                "DROP INDEX CONCURRENTLY",
            )
        } else {
            ("write anew the invalid", "REINDEX INDEX CONCURRENTLY")
        };
        Repair {
            what: format!("{what} index {index}"),
            action: Action::Alone(format!("{verb} {index}")),
        }
    };
    Ok(indexes.into_iter().map(repair).collect())
}

/// The names that a question gives.
async fn names(database: &DatabaseConnection, question: &str) -> Result<Vec<String>> {
    let rows = database.query_all_raw(Statement::from_string(sql::POSTGRES, question));
    let rows = rows.await.wrap_err("look for what is missing")?;
    rows.iter().map(name).collect()
}

/// The name of a row.
fn name(row: &QueryResult) -> Result<String> {
    row.try_get("", "name").wrap_err("read what is missing")
}
