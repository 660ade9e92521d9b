//! Packing: the index of a finished day is written anew.
//!
//! `REINDEX CONCURRENTLY` cannot be part of a transaction, so packing has a session of its own, past sea-orm.

use std::time::Duration;

use contract::instant::millis;
use sea_orm::sqlx::{self, PgConnection, query_as, query_scalar};

/// The comment on an index that is packed.
const PACKED: &str = "packed";

/// A day that is not packed, by names as SQL writes them.
#[derive(Clone, Debug)]
pub struct Day {
    /// Its table.
    pub table: String,
    /// The index of its primary key.
    pub index: String,
}

/// Which days are looked for.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// Those that ended so long ago, at least and at most.
    Ago(Duration, Duration),
    /// All.
    AnyTime,
}

/// Takes the lock of packing until the session ends, if it is free: one scheduler of a database packs at a time.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('webmon_pack', 0))";

/// The days to pack; newest first, as they are read most and kept longest. `$1` is the comment on an index that is
/// packed; `$2` asks for all days, else for those that ended between `$3` and `$4` milliseconds ago.
const UNPACKED: &str = "\
SELECT day.oid::regclass::text, indexrelid::regclass::text
FROM pg_inherits JOIN pg_class AS day ON day.oid = inhrelid
    JOIN pg_index ON indrelid = day.oid AND indisprimary
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC') - (to_date(right(relname, 8), 'YYYYMMDD') + 1) AS age) AS since_its_end
WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
    AND obj_description(indexrelid, 'pg_class') IS DISTINCT FROM $1
    AND ($2 OR age BETWEEN $3 * interval '1 millisecond' AND $4 * interval '1 millisecond')
ORDER BY relname DESC";

/// The size of the index `$1`, in bytes.
const SIZE: &str = "SELECT pg_relation_size($1::text::regclass)";

/// What an interrupted `REINDEX CONCURRENTLY` left behind on the table `$1`.
const LEFTOVERS: &str = "\
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = $1::text::regclass AND NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$'";

/// The settings of a session that packs. A statement ends after `limit`, or when its client is gone; one process of
/// the server is enough for it.
pub fn settings(limit: Duration) -> String {
    format!(
        "SET client_connection_check_interval = '1s'; SET max_parallel_maintenance_workers = 0; \
         SET statement_timeout = {}",
        millis(limit)
    )
}

/// Takes the lock of packing if it is free: returns whether it was.
pub async fn try_lock(session: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar(LOCK).fetch_one(session).await
}

/// Reads the days that are not packed, the newest first.
pub async fn unpacked(session: &mut PgConnection, ended: Ended) -> Result<Vec<Day>, sqlx::Error> {
    let (all, least, most) = match ended {
        Ended::Ago(least, most) => (false, least, most),
        Ended::AnyTime => (true, Duration::ZERO, Duration::ZERO),
    };
    let found: Vec<(String, String)> = query_as(UNPACKED)
        .bind(PACKED)
        .bind(all)
        .bind(millis(least))
        .bind(millis(most))
        .fetch_all(session)
        .await?;
    let day = |(table, index)| Day { table, index };
    Ok(found.into_iter().map(day).collect())
}

impl Day {
    /// Reads the indexes that an interrupted packing left behind, by names as SQL writes them.
    pub async fn leftovers(&self, session: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
        let leftovers = query_scalar(LEFTOVERS).bind(&self.table);
        leftovers.fetch_all(session).await
    }

    /// Reads the size of its index, in bytes.
    pub async fn size(&self, session: &mut PgConnection) -> Result<i64, sqlx::Error> {
        query_scalar(SIZE)
            .bind(&self.index)
            .fetch_one(session)
            .await
    }

    /// What packs it, step by step. Each is a statement of its own, as the second cannot be part of a transaction.
    pub fn steps(&self) -> [String; 3] {
        let Self { table: _, index } = self;
        [
            format!("ALTER INDEX {index} SET (fillfactor = 100)"),
            format!("REINDEX INDEX CONCURRENTLY {index}"),
            format!("COMMENT ON INDEX {index} IS '{PACKED}'"),
        ]
    }
}

/// Drops a leftover.
pub fn drop_leftover(leftover: &str) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {leftover}")
}
