//! Up to where each shard is reconciled.

use std::time::Duration;

use contract::instant::{UnixMs, millis};
use sea_orm::{DbErr, FromQueryResult, QueryResult, Statement};

use crate::sql::{instant, statement};

/// How far the shards were reconciled and may be reconciled.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The end of what was reconciled.
    pub since: UnixMs,
    /// The end of what may be reconciled.
    pub until: UnixMs,
    /// Due instants per second.
    pub rate: f64,
}

impl FromQueryResult for Extent {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            since: instant(row, prefix, "since")?,
            until: instant(row, prefix, "until")?,
            rate: row.try_get(prefix, "rate")?,
        })
    }
}

/// Every shard's own ends are respected by the statement that [records losses](crate::check_result::record_lost); these
/// are the outermost. A shard of which nothing has expired since, as it stands still, does not move the beginning back to
/// where it stands. Retention comes first: days that were dropped are not filled again.
const EXTENT: &str = "\
WITH edge AS (
    SELECT reconciled_until, least(scheduled_until, date_trunc('milliseconds', now()) - $1 * interval '1 millisecond') AS until
    FROM schedule_shard
)
SELECT (extract(epoch FROM greatest(
        coalesce(min(reconciled_until) FILTER (WHERE $1 = 0 OR reconciled_until < until), max(until)),
        now() - $2 * interval '1 millisecond')) * 1000)::bigint AS since,
    (extract(epoch FROM max(until)) * 1000)::bigint AS until,
    (SELECT coalesce(sum(1000 / interval_ms::float8), 0) FROM site WHERE enabled) AS rate
FROM edge HAVING count(*) > 0";

/// Reads the [`Extent`] of what was due at least `grace` ago, and not longer ago than `retention`; no row if there is
/// no shard.
pub fn extent(grace: Duration, retention: Duration) -> Statement {
    statement(EXTENT, [millis(grace).into(), millis(retention).into()])
}

/// Every shard has been reconciled up to `$1`, as far as it was scheduled. One that a turn has is reconciled again by
/// the next look: to wait for it would keep the others from the turns meanwhile.
const ADVANCE_RECONCILED: &str = "\
UPDATE schedule_shard SET reconciled_until = greatest(reconciled_until,
    least(scheduled_until, timestamptz 'epoch' + $1 * interval '1 millisecond'))
WHERE id IN (SELECT id FROM schedule_shard ORDER BY id FOR UPDATE SKIP LOCKED)";

/// Notes that the shards are reconciled up to `until`.
pub fn advance_reconciled(until: UnixMs) -> Statement {
    statement(ADVANCE_RECONCILED, [until.0.into()])
}
