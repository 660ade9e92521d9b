//! `schedule_shard`: up to where each shard is scheduled and reconciled.

use std::time::Duration;

use contract::instant::{UnixMs, millis};
use sea_orm::{DbErr, FromQueryResult, QueryResult, Statement};
use store::sql::{POSTGRES, instant, statement};

/// Up to where the shards are scheduled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The start of the transaction.
    pub(crate) now: UnixMs,
    /// Up to where the shard furthest behind is scheduled.
    pub(crate) least: UnixMs,
    /// Up to where the shard furthest ahead is scheduled, or reconciled.
    pub(crate) most: UnixMs,
}

impl FromQueryResult for Progress {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            now: instant(row, prefix, "now")?,
            least: instant(row, prefix, "least")?,
            most: instant(row, prefix, "most")?,
        })
    }
}

/// Milliseconds are cut once, here; from now on both edges of a window are used as they are. `greatest` and `least`
/// stand for instants that `PostgreSQL` alone knows: `infinity`, and none in an empty table.
const PROGRESS: &str = "\
SELECT (extract(epoch FROM date_trunc('milliseconds', now())) * 1000)::bigint AS now,
    (extract(epoch FROM greatest(timestamptz 'epoch', min(scheduled_until))) * 1000)::bigint AS least,
    (extract(epoch FROM least(timestamptz '9999-01-01', max(greatest(scheduled_until, reconciled_until)))) * 1000)::bigint AS most
FROM schedule_shard";

/// Reads the [`Progress`] of all shards.
pub(crate) fn progress() -> Statement {
    Statement::from_string(POSTGRES, PROGRESS)
}

/// A locked row of `schedule_shard`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shard {
    /// `schedule_shard.id`.
    pub(crate) id: i16,
    /// Everything up to here has been scheduled.
    pub(crate) scheduled_until: UnixMs,
}

impl FromQueryResult for Shard {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            scheduled_until: instant(row, prefix, "scheduled_until")?,
        })
    }
}

/// Claims what lies furthest behind. An instant that `PostgreSQL` alone knows (`-infinity`) is the first there is.
const CLAIM: &str = "\
SELECT id, (extract(epoch FROM greatest(scheduled_until, timestamptz 'epoch')) * 1000)::bigint AS scheduled_until
FROM schedule_shard
WHERE scheduled_until < now() + $1 * interval '1 millisecond' AND id = ANY($2)
ORDER BY scheduled_until
LIMIT $3
FOR UPDATE SKIP LOCKED";

/// Locks the shards of `candidates`, at most `most`, that are scheduled less than `lead` ahead of now; returns them as
/// [`Shard`]s.
pub(crate) fn claim(candidates: Vec<i16>, most: usize, lead: Duration) -> Statement {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    statement(CLAIM, [millis(lead).into(), candidates.into(), most.into()])
}

/// An instant is exact as a product; `to_timestamp` takes a floating-point number of seconds.
const ADVANCE: &str = "\
UPDATE schedule_shard SET scheduled_until = timestamptz 'epoch' + $1 * interval '1 millisecond'
WHERE id = ANY($2)";

/// Notes that shards are scheduled up to `until`.
pub(crate) fn advance(shards: Vec<i16>, until: UnixMs) -> Statement {
    statement(ADVANCE, [until.0.into(), shards.into()])
}

/// What was set back: a shard, and how far ahead of now it was.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(crate) struct SetBack {
    /// `schedule_shard.id`.
    pub(crate) id: i16,
    /// In milliseconds.
    pub(crate) ahead_ms: i64,
}

/// Sets shards back that are more than `$1` milliseconds ahead; those that others have locked wait for a later turn.
///
/// Gaps end now at the latest, as what comes after is scheduled. The last minutes are reconciled
/// once more: how far that was done by the wrong clock is not known. One statement, and so one transaction.
const SET_BACK: &str = "\
WITH edge AS MATERIALIZED (
    SELECT date_trunc('milliseconds', now()) AS now, now() + $1 * interval '1 millisecond' AS latest
), ahead AS MATERIALIZED (
    SELECT id, scheduled_until > latest AS scheduled, reconciled_until > latest AS reconciled,
        (extract(epoch FROM least(greatest(scheduled_until, reconciled_until), timestamptz '9999-01-01') - now) * 1000)::bigint
            AS ahead_ms
    FROM schedule_shard, edge
    WHERE greatest(scheduled_until, reconciled_until) > latest
    ORDER BY id
    FOR UPDATE OF schedule_shard SKIP LOCKED
), gone AS (
    DELETE FROM schedule_gap USING ahead, edge
    WHERE ahead.scheduled AND schedule_gap.shard = ahead.id AND schedule_gap.since >= edge.now
), cut AS (
    UPDATE schedule_gap SET until = edge.now FROM ahead, edge
    WHERE ahead.scheduled AND schedule_gap.shard = ahead.id
        AND schedule_gap.since < edge.now AND schedule_gap.until > edge.now
)
UPDATE schedule_shard SET
    scheduled_until = CASE WHEN ahead.scheduled THEN edge.now ELSE schedule_shard.scheduled_until END,
    reconciled_until = CASE
        WHEN ahead.reconciled THEN least(edge.now - interval '10 minutes', schedule_shard.scheduled_until)
        ELSE schedule_shard.reconciled_until
    END
FROM ahead, edge
WHERE schedule_shard.id = ahead.id
RETURNING ahead.id, ahead.ahead_ms";

/// Sets shards back to now that are further ahead than `furthest`; returns them as [`SetBack`].
pub(crate) fn set_back(furthest: Duration) -> Statement {
    statement(SET_BACK, [millis(furthest).into()])
}

/// How far the shards were reconciled and may be reconciled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// The end of what was reconciled.
    pub(crate) since: UnixMs,
    /// The end of what may be reconciled.
    pub(crate) until: UnixMs,
    /// Due instants per second.
    pub(crate) rate: f64,
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

/// Every shard's own ends are respected by the statement that [records losses](super::check_result::record_lost); these
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
pub(crate) fn extent(grace: Duration, retention: Duration) -> Statement {
    statement(EXTENT, [millis(grace).into(), millis(retention).into()])
}

/// Every shard has been reconciled up to `$1`, as far as it was scheduled. One that a turn has is reconciled again by
/// the next look: to wait for it would keep the others from the turns meanwhile.
const ADVANCE_RECONCILED: &str = "\
UPDATE schedule_shard SET reconciled_until = greatest(reconciled_until,
    least(scheduled_until, timestamptz 'epoch' + $1 * interval '1 millisecond'))
WHERE id IN (SELECT id FROM schedule_shard ORDER BY id FOR UPDATE SKIP LOCKED)";

/// Notes that the shards are reconciled up to `until`.
pub(crate) fn advance_reconciled(until: UnixMs) -> Statement {
    statement(ADVANCE_RECONCILED, [until.0.into()])
}

/// Nothing is in flight: what was scheduled ahead of now is scheduled again.
const REWIND: &str = "\
UPDATE schedule_shard SET scheduled_until = least(scheduled_until, date_trunc('milliseconds', now()))";

/// Forgets what was scheduled ahead of now.
pub(crate) fn rewind() -> Statement {
    Statement::from_string(POSTGRES, REWIND)
}
