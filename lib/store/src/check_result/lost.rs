//! Rows for checks that were lost on their way: due, and with neither a row nor a gap.

use contract::instant::UnixMs;
use sea_orm::Statement;

use crate::sql::statement;

/// Records the losses of `($1, $2]`. `$3`, or a shard that was reconciled further: also what was due earlier and
/// had not expired by then. `$4`: only what has expired at `$2`.
///
/// Which sites lack rows at all is found by counting. Sites that are alike, of one interval and span, are read
/// together: their rows came at the same time and lie side by side, so that a bitmap has each page read once
/// instead of once a row. (50,000 sites at a time, as a bitmap that outgrows `work_mem` forgets which rows it
/// meant, and each row of a page is sought in the whole array.) A row counts only if it is in step with its site,
/// which shows in the last instant of that step by the end of the span: a row at another instant makes up for none
/// that is lacking. A site that is short is asked for instant by instant.
///
/// `OFFSET 0` and MATERIALIZED, or expressions would be computed anew wherever they are used. `IN` beside `OR` is
/// looked up in a hash table whatever the planner guesses, and the last question is a subquery of each instant, as a
/// join would read the tables whole.
const RECORD_LOST: &str = "\
WITH shard AS MATERIALIZED (
    SELECT id, round(date_part('epoch', greatest(timestamptz 'epoch', reconciled_until)) * 1000)::bigint AS judged,
        round(date_part('epoch', greatest(timestamptz 'epoch', scheduled_until)) * 1000)::bigint AS scheduled
    FROM schedule_shard
), judged AS MATERIALIZED (
    SELECT *, ((until - phase_ms) / interval_ms - (since - phase_ms) / interval_ms)::int AS instants FROM (
        SELECT site.id, site.shard, phase_ms::bigint, interval_ms::bigint,
            CASE WHEN isfinite(check_at) THEN round(date_part('epoch', check_at) * 1000)::bigint END AS check_ms,
            greatest(
                greatest($1, judged) - CASE WHEN $3 OR $1 < judged THEN interval_ms ELSE 0 END,
                round(date_part('epoch', scheduled_from) * 1000)::bigint) AS since,
            least($2 - CASE WHEN $4 THEN interval_ms ELSE 0 END, scheduled) AS until
        FROM site JOIN shard ON shard.id = site.shard
        WHERE enabled AND isfinite(scheduled_from) OFFSET 0
    ) AS span WHERE since < until
), alike AS (
    SELECT interval_ms * interval '1 millisecond' AS every, array_agg(id) AS ids,
        timestamptz 'epoch' + since * interval '1 millisecond' AS since_at,
        timestamptz 'epoch' + until * interval '1 millisecond' AS until_at
    FROM judged WHERE instants > 0 GROUP BY interval_ms, since, until, id / 50000
), tally AS (
    SELECT id, timestamptz 'epoch' + (until - (until - phase_ms) % interval_ms) * interval '1 millisecond' AS last, instants
    FROM judged WHERE instants > 0
    UNION ALL
    SELECT site_id, date_bin(every, until_at, scheduled_at), -1
    FROM alike JOIN check_result ON site_id = ANY (ids) AND scheduled_at > since_at AND scheduled_at <= until_at
), lacking AS (
    SELECT * FROM judged
    WHERE id IN (SELECT id FROM tally GROUP BY id, last HAVING sum(instants) > 0)
        OR (check_ms > since AND check_ms <= until)
), due AS (
    SELECT id, shard, timestamptz 'epoch' + ms * interval '1 millisecond' AS at FROM (
        SELECT id, shard, generate_series(
            since + 1 + ((phase_ms - since - 1) % interval_ms + interval_ms) % interval_ms, until, interval_ms) AS ms
        FROM lacking
        UNION
        SELECT id, shard, check_ms FROM lacking WHERE check_ms > since AND check_ms <= until
    ) AS instant
)
INSERT INTO check_result (site_id, scheduled_at, outcome, reason)
SELECT id, at, 'missed', 'lost' FROM due
WHERE (SELECT count(*) FROM check_result AS found WHERE found.site_id = due.id AND found.scheduled_at = due.at) = 0
    AND NOT EXISTS (SELECT FROM schedule_gap AS gap WHERE gap.shard = due.shard AND gap.since < due.at AND due.at <= gap.until)
ORDER BY id, at
ON CONFLICT DO NOTHING";

/// Which losses [`record_lost`] records.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    /// After this instant.
    pub since: UnixMs,
    /// Up to this one.
    pub until: UnixMs,
    /// Also what was due earlier and had not expired by `since`.
    pub reach_back: bool,
    /// Only what has expired at `until`.
    pub expired: bool,
}

/// Records losses; as many rows are affected as checks were lost.
pub fn record_lost(losses: Losses) -> Statement {
    let Losses {
        since,
        until,
        reach_back,
        expired,
    } = losses;
    statement(
        RECORD_LOST,
        [
            since.0.into(),
            until.0.into(),
            reach_back.into(),
            expired.into(),
        ],
    )
}
