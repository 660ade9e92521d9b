//! Shards that are scheduled ahead of now are set back.

use std::time::Duration;

use contract::instant::millis;
use sea_orm::{FromQueryResult, Statement};

use crate::sql::{POSTGRES, statement};

/// What was set back: a shard, and how far ahead of now it was.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct SetBack {
    /// `schedule_shard.id`.
    pub id: i16,
    /// In milliseconds.
    pub ahead_ms: i64,
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
pub fn set_back(furthest: Duration) -> Statement {
    statement(SET_BACK, [millis(furthest).into()])
}

/// Nothing is in flight: what was scheduled ahead of now is scheduled again.
const REWIND: &str = "\
UPDATE schedule_shard SET scheduled_until = least(scheduled_until, date_trunc('milliseconds', now()))";

/// Forgets what was scheduled ahead of now.
pub fn rewind() -> Statement {
    Statement::from_string(POSTGRES, REWIND)
}
