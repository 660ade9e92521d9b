//! Stamp: rows that were made or changed are told from when on they have been scheduled as they are.
//!
//! An audit may look at a site only from an instant at which no scheduler can still be working with an
//! older version of its row. Every window that was read before this statement ends at most one
//! horizon after now, so that instant is `clock_timestamp() + horizon`: written once per change,
//! never per check. `updated_at` would not do: it is taken when a statement starts, and a long
//! transaction makes the change visible much later.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::ConnectionTrait;
use store::sql;

use crate::claim::Claim;

/// How many rows a turn stamps per shard, so that a bulk load does not hold up the turn.
const MOST_PER_SHARD: i64 = 125;

/// `check_at` moves past what is already scheduled; within a second, so that a bulk load is spread.
const STAMP: &str = "\
WITH instant AS MATERIALIZED (
    SELECT date_trunc('milliseconds', clock_timestamp()) + $2 * interval '1 millisecond' AS scheduled_from
), fresh AS MATERIALIZED (
    SELECT row.id FROM unnest($1::smallint[]) AS claimed (shard)
    CROSS JOIN LATERAL (
        SELECT id FROM site
        WHERE site.shard = claimed.shard AND enabled AND scheduled_from IS NULL
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    ) AS row
)
UPDATE site SET
    scheduled_from = instant.scheduled_from,
    check_at = CASE WHEN check_at IS NOT NULL THEN
        greatest(check_at, instant.scheduled_from + (1 + phase_ms % 1000) * interval '1 millisecond')
    END
FROM instant, fresh
WHERE site.id = fresh.id";

/// Stamps the fresh rows of the claimed shards. Comes before they are read.
pub(crate) async fn stamp(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    horizon: Duration,
) -> Result<u64> {
    let shards: Vec<i16> = claim.shards.iter().map(|shard| shard.id).collect();
    let values = [
        shards.into(),
        sql::millis(horizon).into(),
        MOST_PER_SHARD.into(),
    ];
    let done = transaction.execute_raw(sql::statement(STAMP, values)).await;
    Ok(done
        .wrap_err("stamp new and changed sites")?
        .rows_affected())
}
