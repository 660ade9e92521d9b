//! Rows of `schedule_shard` that are missing are put back.

use sea_orm::Statement;

use crate::sql::POSTGRES;

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

/// How long before its last scheduled instant a shard may have been judged: no check expires later than that.
const UNJUDGED: &str = "interval '1 day'";

/// Reads the shards without a row: the `name` of each, and `until` when it was scheduled, as SQL writes it.
pub fn missing_shards() -> Statement {
    Statement::from_string(POSTGRES, SHARDS)
}

/// Puts back the row of a shard that was scheduled `until` then.
pub fn put_back(shard: &str, until: &str) -> String {
    format!(
        "INSERT INTO schedule_shard (id, scheduled_until, reconciled_until)
                 VALUES ({shard}, '{until}', timestamptz '{until}' - {UNJUDGED}) ON CONFLICT DO NOTHING"
    )
}
