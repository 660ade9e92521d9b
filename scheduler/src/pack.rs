//! Pack: the index of a finished day is written anew, with full pages.
//!
//! The rows of a site come one by one, so the pages of the primary key's index split in half: it takes
//! about 42 bytes a row, a full one 28. A day that gets no more rows is packed by `REINDEX CONCURRENTLY`,
//! for which neither readers nor writers wait; it waits for both. (*Not* a day that is written: two who
//! insert the same new key meanwhile may meet an error in spite of `ON CONFLICT`.) The table itself is
//! left alone: its rows come once and leave no holes.
//!
//! The catalog alone says what is left to do: the last step is a [comment](PACKED) on the index, which
//! stays when it is written anew. The fill factor is no such mark, as it must be set before, nor is the
//! size, which late rows change. What was interrupted is done again, without what it left behind.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, PgConnection, query_scalar, raw_sql};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, FromQueryResult};
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::sql;

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

/// The comment on an index that is packed.
const PACKED: &str = "packed";

/// The days to pack; newest first, as they are read most and kept longest.
const UNPACKED: &str = "\
SELECT day.oid::regclass::text AS table, indexrelid::regclass::text AS index
FROM pg_inherits JOIN pg_class AS day ON day.oid = inhrelid
    JOIN pg_index ON indrelid = day.oid AND indisprimary
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC') - (to_date(right(relname, 8), 'YYYYMMDD') + 1) AS age) AS since_its_end
WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
    AND ($2 OR age BETWEEN $3 * interval '1 millisecond' AND $4 * interval '1 millisecond')
    AND obj_description(indexrelid, 'pg_class') IS DISTINCT FROM $1
ORDER BY relname DESC";

/// Whether nobody else packs, in this database; until the session ends, nobody else will.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('webmon_pack', 0))";

/// Whether an index is packed.
const IS_PACKED: &str =
    "SELECT obj_description($1::text::regclass, 'pg_class') IS NOT DISTINCT FROM $2";

/// The size of an index, in bytes.
const SIZE: &str = "SELECT pg_relation_size($1::text::regclass)";

/// What an interrupted `REINDEX CONCURRENTLY` left behind on a table.
const LEFTOVERS: &str = "\
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = $1::text::regclass AND NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$'";

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

/// A day that is not packed.
#[derive(Clone, Debug, FromQueryResult)]
struct Day {
    /// Its table, as SQL writes it.
    table: String,
    /// The index of its primary key, likewise.
    index: String,
}

/// Packs days one after the other, but those that somebody else is packing.
///
/// A day that fails does not hold up the others; the error is the first.
pub async fn pack(database: &DatabaseConnection, days: Days) -> Result<()> {
    let mut outcome = Ok(());
    for day in in_time(unpacked(database, days)).await? {
        let packed = in_time(day.pack(database)).await;
        outcome = outcome.and(packed.wrap_err_with(|| format!("pack {}", day.index)));
    }
    outcome
}

/// Waits for an answer, but not for ever.
async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let answer = timeout(PATIENCE, answer).await;
    answer.wrap_err_with(|| format!("no answer for {PATIENCE:?}"))?
}

/// Looks for days to pack.
async fn unpacked(database: &DatabaseConnection, days: Days) -> Result<Vec<Day>> {
    let (all, kept) = match days {
        Days::Finished { retention } => (false, retention.saturating_sub(LEAST_USE)),
        Days::All => (true, Duration::ZERO),
    };
    let values = [
        PACKED.into(),
        all.into(),
        sql::millis(FINISHED).into(),
        sql::millis(kept).into(),
    ];
    let rows = database
        .query_all_raw(sql::statement(UNPACKED, values))
        .await;
    let rows = rows.wrap_err("look for days of check_result to pack")?;
    let days = rows.iter().map(|row| Day::from_query_result(row, ""));
    days.collect::<Result<_, _>>()
        .wrap_err("read a day to pack")
}

impl Day {
    /// Packs it, on a connection of its own: the lock ends with it, however it ends.
    async fn pack(&self, database: &DatabaseConnection) -> Result<()> {
        let pooled = database.get_postgres_connection_pool().acquire().await;
        let mut connection = pooled.wrap_err("open a connection")?.detach();
        self.pack_on(&mut connection).await?;
        connection.close().await.wrap_err("close the connection")
    }

    /// Packs it, unless somebody else does or has.
    async fn pack_on(&self, connection: &mut PgConnection) -> Result<()> {
        let Self { table, index } = self;
        // One process of the server is enough. It ends when we do: without the first setting it would
        // only see that we are gone when it has done its work.
        let settings = format!(
            "SET client_connection_check_interval = '1s'; SET max_parallel_maintenance_workers = 0; \
             SET statement_timeout = {}",
            sql::millis(PATIENCE)
        );
        execute(connection, settings).await?;
        let free: bool = query_scalar(LOCK).fetch_one(&mut *connection).await?;
        if !free || is_packed(connection, index).await? {
            debug!(table, "somebody else packs, or has packed");
            return Ok(());
        }
        let leftovers = query_scalar(LEFTOVERS).bind(table);
        let leftovers: Vec<String> = leftovers.fetch_all(&mut *connection).await?;
        for leftover in leftovers {
            let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {leftover}");
            execute(connection, drop).await?;
        }
        let before = size(connection, index).await?;
        // Each of its own, as the second cannot be part of a transaction.
        for step in [
            format!("ALTER INDEX {index} SET (fillfactor = 100)"),
            format!("REINDEX INDEX CONCURRENTLY {index}"),
            format!("COMMENT ON INDEX {index} IS '{PACKED}'"),
        ] {
            execute(connection, step).await?;
        }
        let after = size(connection, index).await?;
        info!(
            table,
            index.bytes_before = before,
            index.bytes = after,
            "packed a day"
        );
        Ok(())
    }
}

/// Runs statements whose names are from the catalog.
async fn execute(connection: &mut PgConnection, sql: String) -> Result<()> {
    let done = raw_sql(AssertSqlSafe(sql.as_str()))
        .execute(connection)
        .await;
    done.wrap_err(sql)?;
    Ok(())
}

/// Whether an index is packed.
async fn is_packed(connection: &mut PgConnection, index: &str) -> Result<bool> {
    let packed = query_scalar(IS_PACKED).bind(index).bind(PACKED);
    packed.fetch_one(connection).await.wrap_err(IS_PACKED)
}

/// The size of an index, in bytes.
async fn size(connection: &mut PgConnection, index: &str) -> Result<i64> {
    let size = query_scalar(SIZE).bind(index);
    size.fetch_one(connection).await.wrap_err(SIZE)
}

/// Packs the days that are finished until `stop`.
pub(crate) async fn keep(
    database: DatabaseConnection,
    retention: Duration,
    stop: CancellationToken,
) -> Result<()> {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    let packing = async {
        loop {
            ticks.tick().await;
            let packed = pack(&database, Days::Finished { retention }).await;
            match &packed {
                Err(error) if failing => debug!("still cannot pack all finished days: {error:#}"),
                Err(error) => warn!("cannot pack all finished days, trying hourly: {error:#}"),
                Ok(()) => {}
            }
            failing = packed.is_err();
        }
    };
    // A stop waits for no day.
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        () = packing => Ok(()),
    }
}
