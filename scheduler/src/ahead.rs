//! Ahead: shards that are scheduled further than any horizon are set back to now.
//!
//! A database whose clock was ahead for a while leaves them there when it is right again. Nothing would be
//! scheduled until the clock gets there, and nothing recorded as lost. What is scheduled twice by this does no harm:
//! the primary key of `check_result` makes it once.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::{ConnectionTrait, FromQueryResult};
use store::sql;

use crate::{config::LONGEST_HORIZON, shard_progress::furthest};

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

/// Sets back what is further ahead than this horizon and any other.
pub(crate) async fn set_back(
    database: &impl ConnectionTrait,
    horizon: Duration,
) -> Result<Vec<SetBack>> {
    let limit = sql::millis(furthest(horizon));
    let rows = database
        .query_all_raw(sql::statement(SET_BACK, [limit.into()]))
        .await
        .wrap_err("set back shards that are scheduled too far ahead")?;
    let read = rows.iter().map(|row| SetBack::from_query_result(row, ""));
    read.collect::<Result<_, _>>()
        .wrap_err("read which shards were set back")
}

/// Sites that would be reconciled only from an instant on that no stamp can have: the next turn stamps them anew.
const UNSTAMP: &str = "\
UPDATE site SET scheduled_from = NULL
WHERE enabled AND scheduled_from > now() + $1 * interval '1 millisecond'";

/// Takes stamps away that a wrong clock has given; returns how many. Reads all sites once.
pub(crate) async fn unstamp(database: &impl ConnectionTrait) -> Result<u64> {
    let limit = sql::millis(furthest(LONGEST_HORIZON));
    let done = database
        .execute_raw(sql::statement(UNSTAMP, [limit.into()]))
        .await;
    Ok(done
        .wrap_err("take back stamps that lie ahead")?
        .rows_affected())
}
