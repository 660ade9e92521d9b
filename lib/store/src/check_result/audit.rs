//! What an audit asks `PostgreSQL`: a day at a time, so that neither side holds more than a row for each hour.
//!
//! Due instants are not made, but counted: a site with the interval `every` and the phase `phase` is due
//! `(b - phase) / every - (a - phase) / every` times in `(a, b]`. The same holds for the parts of an hour that lie
//! in gaps, or in which a check may still be on its way. Each row is looked at once, and says to which of
//! these parts its instant belongs. What is due and has no row is the difference.
//!
//! A row that was written by hand may hold `infinity`, which no number stands for: edges are cut at the epoch and at now.

use sea_orm::prelude::DateTimeUtc;
use sea_orm::{FromQueryResult, Statement};

use crate::sql::statement;

/// For the transaction of an audit: a day's rows are neither sorted nor handed from process to process, which the
/// planner would do, as it takes the few hours for as many as there are instants.
pub const SETTINGS: &str = "SET LOCAL jit = off; SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0";

/// From when on, up to when, in milliseconds: the last `$1` milliseconds, as far as there are days with
/// results.
const WINDOW: &str = "\
WITH kept AS (
    SELECT min(to_date(right(relname, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC' AS since
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
)
SELECT (extract(epoch FROM greatest(kept.since, now() - $1 * interval '1 millisecond')) * 1000)::bigint AS since,
    (SELECT (extract(epoch FROM greatest(timestamptz 'epoch', max(least(scheduled_until, now())))) * 1000)::bigint
        FROM schedule_shard) AS until
FROM kept";

/// The hours of the day that begins at `$2`, of what is later than `$1`; both in milliseconds.
const DAY: &str = "\
WITH shard AS NOT MATERIALIZED (
    SELECT id, greatest(timestamptz 'epoch', least(scheduled_until, date_trunc('milliseconds', now()))) AS until_at,
        greatest(timestamptz 'epoch', least(reconciled_until, date_trunc('milliseconds', now()))) AS reconciled_at
    FROM schedule_shard
), gap AS NOT MATERIALIZED (
    SELECT shard, greatest(timestamptz 'epoch', since) AS since, least(until, date_trunc('milliseconds', now())) AS until
    FROM schedule_gap
    WHERE until >= timestamptz 'epoch' + $2 * interval '1 millisecond'
        AND since < timestamptz 'epoch' + $2 * interval '1 millisecond' + interval '1 day'
), span AS NOT MATERIALIZED (
    SELECT shard.id AS shard, until_at,
        (extract(epoch FROM until_at) * 1000)::bigint AS until,
        (extract(epoch FROM reconciled_at) * 1000)::bigint AS reconciled,
        coalesce(range_agg(int8range((extract(epoch FROM gap.since) * 1000)::bigint,
            (extract(epoch FROM gap.until) * 1000)::bigint, '(]')) FILTER (WHERE gap.since < gap.until), '{}') AS gaps,
        coalesce(range_agg(tstzrange(gap.since, gap.until, '(]')) FILTER (WHERE gap.since < gap.until), '{}') AS gaps_at
    FROM shard LEFT JOIN gap ON gap.shard = shard.id
    GROUP BY shard.id, until_at, reconciled_at
), judged AS NOT MATERIALIZED (
    SELECT site.id, site.shard, site.interval_ms::bigint AS every, site.phase_ms::bigint AS phase,
        check_at, CASE WHEN isfinite(site.check_at) THEN (date_part('epoch', site.check_at) * 1000)::bigint END AS extra,
        scheduled_from, CASE WHEN isfinite(site.scheduled_from)
            THEN greatest((date_part('epoch', site.scheduled_from) * 1000)::bigint, $1) END AS since
    FROM site WHERE enabled AND scheduled_from > '-infinity' AND scheduled_from < 'infinity'
), part AS (
    SELECT began, every, phase, gaps, greatest(judged.since, began - 1) AS since, least(until, began + 3599999) AS until,
        reconciled - every AS settled
    FROM judged JOIN span USING (shard) CROSS JOIN generate_series($2, $2 + 82800000, 3600000) AS began
    WHERE judged.since < began + 3599999 AND until >= began
), due AS (
    SELECT began,
        sum((until - phase) / every - (since - phase) / every) AS scheduled,
        sum(in_gaps) AS in_gaps,
        sum(CASE WHEN until > settled
            THEN (until - phase) / every - (greatest(since, settled) - phase) / every - open_in_gaps ELSE 0 END) AS open
    FROM part CROSS JOIN LATERAL (
        SELECT coalesce(sum((b - phase) / every - (a - phase) / every), 0) AS in_gaps,
            coalesce(sum((b - phase) / every - (greatest(a, settled) - phase) / every) FILTER (WHERE b > settled), 0)
                AS open_in_gaps
        FROM (
            SELECT greatest(since, lower(gap) - 1) AS a, least(until, upper(gap) - 1) AS b FROM unnest(gaps) AS gap
        ) AS piece WHERE b > a
    ) AS within
    WHERE until > since
    GROUP BY began
), extra AS (
    SELECT extra / 3600000 * 3600000 AS began, count(*) AS scheduled,
        count(*) FILTER (WHERE gaps @> extra) AS in_gaps,
        count(*) FILTER (WHERE NOT gaps @> extra AND extra > reconciled - every) AS open
    FROM judged JOIN span USING (shard)
    WHERE extra > since AND extra <= until AND extra >= $2 AND extra < $2 + 86400000
        AND (extra - phase) % every <> 0
    GROUP BY 1
), looked AS (
    SELECT date_bin('1 hour', scheduled_at, 'epoch') AS began, outcome,
        ((date_part('epoch', scheduled_at) * 1000)::bigint - phase) % every = 0 OR coalesce(scheduled_at = check_at, false)
            AS was_due,
        NOT isempty(gaps_at) AND gaps_at @> scheduled_at AS in_gap,
        (date_part('epoch', scheduled_at) * 1000)::bigint > reconciled - every AS open,
        count(*) AS rows
    FROM check_result AS row JOIN judged ON judged.id = row.site_id JOIN span USING (shard)
    WHERE scheduled_at >= timestamptz 'epoch' + $2 * interval '1 millisecond'
        AND scheduled_at < timestamptz 'epoch' + $2 * interval '1 millisecond' + interval '1 day'
        AND scheduled_at > timestamptz 'epoch' + $1 * interval '1 millisecond'
        AND scheduled_at > scheduled_from AND scheduled_at <= until_at
    GROUP BY 1, 2, 3, 4, 5
), done AS (
    SELECT (extract(epoch FROM began) * 1000)::bigint AS began,
        sum(rows) FILTER (WHERE was_due) AS rows,
        sum(rows) FILTER (WHERE was_due AND outcome = 'up') AS up,
        sum(rows) FILTER (WHERE was_due AND outcome = 'degraded') AS degraded,
        sum(rows) FILTER (WHERE was_due AND outcome = 'down') AS down,
        sum(rows) FILTER (WHERE was_due AND outcome = 'inconclusive') AS inconclusive,
        sum(rows) FILTER (WHERE was_due AND outcome = 'missed') AS missed,
        sum(rows) FILTER (WHERE was_due AND in_gap) AS in_gaps,
        sum(rows) FILTER (WHERE was_due AND NOT in_gap AND open) AS open,
        sum(rows) FILTER (WHERE NOT was_due) AS not_due
    FROM looked GROUP BY looked.began
), hour AS (
    SELECT began,
        (coalesce(due.scheduled, 0) + coalesce(extra.scheduled, 0))::bigint AS scheduled,
        (coalesce(due.in_gaps, 0) + coalesce(extra.in_gaps, 0) - coalesce(done.in_gaps, 0))::bigint AS in_gaps,
        (coalesce(due.open, 0) + coalesce(extra.open, 0) - coalesce(done.open, 0))::bigint AS open,
        coalesce(rows, 0)::bigint AS rows, coalesce(up, 0)::bigint AS up, coalesce(degraded, 0)::bigint AS degraded,
        coalesce(down, 0)::bigint AS down, coalesce(inconclusive, 0)::bigint AS inconclusive,
        coalesce(missed, 0)::bigint AS missed, coalesce(not_due, 0)::bigint AS not_due
    FROM due FULL JOIN extra USING (began) FULL JOIN done USING (began)
)
SELECT timestamptz 'epoch' + began * interval '1 millisecond' AS began, scheduled, up, degraded, down, inconclusive,
    missed, in_gaps, open, scheduled - rows - in_gaps - open AS unaccounted, not_due
FROM hour WHERE scheduled > 0 OR not_due > 0 ORDER BY began";

/// An hour of the ledger.
#[derive(Debug, FromQueryResult)]
pub struct Hour {
    /// When it began.
    pub began: DateTimeUtc,
    /// Instants at which a site was due.
    pub scheduled: i64,
    /// Those with a row of this outcome.
    pub up: i64,
    /// Likewise.
    pub degraded: i64,
    /// Likewise.
    pub down: i64,
    /// Likewise.
    pub inconclusive: i64,
    /// Likewise.
    pub missed: i64,
    /// Those without a row inside a gap.
    pub in_gaps: i64,
    /// Those that may still be on their way.
    pub open: i64,
    /// Those of which nothing is known.
    pub unaccounted: i64,
    /// Rows for instants at which their site was not due.
    pub not_due: i64,
}

/// The window that is audited, in milliseconds since the Unix epoch: later than `since`, up to `until`.
#[derive(Debug, FromQueryResult)]
pub struct Window {
    /// The last instant before it.
    pub since: Option<i64>,
    /// Its last instant; none without a shard.
    pub until: Option<i64>,
}

/// Reads the [`Window`] of the last `milliseconds`.
pub fn window(milliseconds: i64) -> Statement {
    statement(WINDOW, [milliseconds.into()])
}

/// Reads the [`Hour`]s of the day that begins at `day`, of what is later than `since`; both in milliseconds.
pub fn day(since: i64, day: i64) -> Statement {
    statement(DAY, [since.into(), day.into()])
}
