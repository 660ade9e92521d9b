//! From when on a row of `site` is scheduled as it is: its stamp, `scheduled_from`.

use std::time::Duration;

use contract::instant::millis;
use sea_orm::Statement;

use crate::sql::statement;

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

/// Stamps rows of these shards that have no `scheduled_from`: with `horizon` from now.
pub fn stamp(shards: Vec<i16>, horizon: Duration) -> Statement {
    statement(
        STAMP,
        [shards.into(), millis(horizon).into(), MOST_PER_SHARD.into()],
    )
}

/// Sites that would be reconciled only from an instant on that no stamp can have: the next turn stamps them anew.
const UNSTAMP: &str = "\
UPDATE site SET scheduled_from = NULL
WHERE enabled AND scheduled_from > now() + $1 * interval '1 millisecond'";

/// Takes stamps away that are further ahead of now than `furthest`.
pub fn unstamp(furthest: Duration) -> Statement {
    statement(UNSTAMP, [millis(furthest).into()])
}
