-- The ledger as its definition says it: each due instant is made, and joined with its row. It takes as much room as
-- there are instants. $1 is how far it goes back, in milliseconds.
WITH kept AS (
    SELECT min(to_date(right(relname, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC' AS since
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
), judged AS (
    SELECT site.id, site.shard, site.interval_ms::bigint, site.phase_ms::bigint, site.check_at,
        (extract(epoch FROM greatest(site.scheduled_from, kept.since, now() - $1 * interval '1 millisecond')) * 1000)::bigint AS since,
        (extract(epoch FROM least(shard.scheduled_until, now())) * 1000)::bigint AS until,
        (extract(epoch FROM shard.reconciled_until) * 1000)::bigint AS reconciled
    FROM site JOIN schedule_shard AS shard ON shard.id = site.shard CROSS JOIN kept
    WHERE site.enabled AND isfinite(site.scheduled_from)
), due AS (
    SELECT id, timestamptz 'epoch' + ms * interval '1 millisecond' AS at
    FROM judged CROSS JOIN LATERAL generate_series(
        since + 1 + ((phase_ms - since - 1) % interval_ms + interval_ms) % interval_ms, until, interval_ms) AS ms
    UNION
    SELECT id, check_at FROM judged
    WHERE check_at > timestamptz 'epoch' + since * interval '1 millisecond'
        AND check_at <= timestamptz 'epoch' + until * interval '1 millisecond'
), done AS (
    SELECT id, row.scheduled_at AS at, row.outcome::text AS outcome
    FROM judged JOIN check_result AS row ON row.site_id = judged.id
        AND row.scheduled_at > timestamptz 'epoch' + since * interval '1 millisecond'
        AND row.scheduled_at <= timestamptz 'epoch' + until * interval '1 millisecond'
    WHERE row.scheduled_at > now() - $1 * interval '1 millisecond' - interval '1 day'
), entry AS (
    SELECT at, due.id IS NOT NULL AS was_due, done.outcome,
        done.outcome IS NULL AND EXISTS (
            SELECT FROM schedule_gap AS gap
            WHERE gap.shard = judged.shard AND gap.since < at AND at <= gap.until) AS in_gap,
        at + interval_ms * interval '1 millisecond' > timestamptz 'epoch' + reconciled * interval '1 millisecond' AS open
    FROM due FULL JOIN done USING (id, at) JOIN judged USING (id)
)
SELECT date_trunc('hour', at, 'UTC') AS began,
    count(*) FILTER (WHERE was_due) AS scheduled,
    count(*) FILTER (WHERE was_due AND outcome = 'up') AS up,
    count(*) FILTER (WHERE was_due AND outcome = 'degraded') AS degraded,
    count(*) FILTER (WHERE was_due AND outcome = 'down') AS down,
    count(*) FILTER (WHERE was_due AND outcome = 'inconclusive') AS inconclusive,
    count(*) FILTER (WHERE was_due AND outcome = 'missed') AS missed,
    count(*) FILTER (WHERE in_gap) AS in_gaps,
    count(*) FILTER (WHERE outcome IS NULL AND NOT in_gap AND open) AS open,
    count(*) FILTER (WHERE outcome IS NULL AND NOT in_gap AND NOT open) AS unaccounted,
    count(*) FILTER (WHERE NOT was_due) AS not_due
FROM entry GROUP BY began ORDER BY began
