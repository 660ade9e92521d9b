-- What became of each instant at which an enabled site was due, as the site is defined now, from when it
-- was first scheduled until five seconds ago; computed from the tables alone.
WITH judged AS (
    SELECT s.id, s.shard, s.interval_ms, s.phase_ms, s.check_at, s.scheduled_from,
        ceil(extract(epoch FROM s.scheduled_from) * 1000)::bigint AS since,
        floor(extract(epoch FROM least(h.scheduled_until, now() - interval '5 s')) * 1000)::bigint AS until
    FROM site s JOIN schedule_shard h ON h.id = s.shard
    WHERE s.enabled AND s.scheduled_from IS NOT NULL
), due AS (
    SELECT id, shard, to_timestamp(t / 1000.0)::timestamptz(3) AS at
    FROM judged, generate_series(since + 1 + mod(mod(phase_ms - since - 1, interval_ms) + interval_ms, interval_ms),
        until, interval_ms) t
    UNION
    SELECT id, shard, check_at FROM judged
    WHERE check_at > scheduled_from AND check_at <= to_timestamp(until / 1000.0)
), done AS (
    SELECT r.site_id AS id, r.scheduled_at AS at, r.outcome
    FROM check_result r JOIN judged j ON j.id = r.site_id
    WHERE r.scheduled_at > j.scheduled_from AND r.scheduled_at <= to_timestamp(j.until / 1000.0)
), paired AS (
    SELECT due.at IS NOT NULL AS was_due, outcome, EXISTS (
        SELECT FROM schedule_gap g WHERE g.shard = due.shard AND due.at > g.since AND due.at <= g.until) AS in_gap
    FROM due FULL JOIN done USING (id, at)
)
SELECT format('%s due: %s up, %s other verdicts, %s missed, %s in gaps, %s missing, %s not due',
    count(*) FILTER (WHERE was_due),
    count(*) FILTER (WHERE outcome = 'up'),
    count(*) FILTER (WHERE outcome NOT IN ('up', 'missed')),
    count(*) FILTER (WHERE outcome = 'missed'),
    count(*) FILTER (WHERE was_due AND outcome IS NULL AND in_gap),
    count(*) FILTER (WHERE was_due AND outcome IS NULL AND NOT in_gap),
    count(*) FILTER (WHERE NOT was_due))
FROM paired;
