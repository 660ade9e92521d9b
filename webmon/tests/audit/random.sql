-- Sites, gaps and results as no scheduler would leave them, of the last two days.
SELECT setseed(0.17);
SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date - days) FROM generate_series(-1, 2) AS days;
INSERT INTO site (name, url, interval_ms, timeout_ms, enabled)
SELECT 'site-' || n, 'http://shop.example/', (ARRAY[7000, 60000, 90000, 3600000, 86400000])[1 + n % 5], 1000, n % 13 <> 0
FROM generate_series(1, 60) AS n;
UPDATE site SET check_at = date_trunc('milliseconds', now() - random() * interval '30 hours') WHERE id % 3 = 0;
UPDATE site SET check_at = timestamptz 'epoch' + (phase_ms + (SELECT floor(extract(epoch FROM now()) * 1000 / interval_ms)
    - 3) * interval_ms) * interval '1 millisecond' WHERE id % 7 = 0;
UPDATE site SET scheduled_from = CASE WHEN id % 11 = 0 THEN NULL WHEN id % 17 = 0 THEN timestamptz '-infinity'
    ELSE date_trunc('milliseconds', now() - random() * interval '60 hours') END;
UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now() - random() * interval '2 hours');
UPDATE schedule_shard SET reconciled_until = scheduled_until - date_trunc('milliseconds', random() * interval '3 hours');
INSERT INTO schedule_gap (shard, since, until)
SELECT shard, at, at + date_trunc('milliseconds', random() * random() * interval '5 hours')
FROM (SELECT shard, date_trunc('milliseconds', now() - random() * interval '50 hours') AS at
    FROM site CROSS JOIN generate_series(1, 6)) AS gap;
-- One that says nothing, one that ends where a day does, and one that is longer than a day.
INSERT INTO schedule_gap (shard, since, until)
SELECT min(shard), at, at + span FROM site CROSS JOIN (VALUES
    (date_trunc('day', now(), 'UTC'), interval '0'),
    (date_trunc('day', now(), 'UTC') - interval '1 hour', interval '1 hour'),
    (now() - interval '30 hours', interval '27 hours')) AS odd (at, span) GROUP BY at, span;
CREATE TEMPORARY TABLE made AS
SELECT site.id, timestamptz 'epoch' + ms * interval '1 millisecond' AS at
FROM site CROSS JOIN LATERAL generate_series(
    (extract(epoch FROM date_trunc('day', now(), 'UTC') - interval '2 days') * 1000)::bigint / interval_ms * interval_ms
        + phase_ms + interval_ms, (extract(epoch FROM now()) * 1000)::bigint, interval_ms) AS ms
WHERE random() < 0.9;
INSERT INTO made SELECT id, at + interval '1 millisecond' FROM made WHERE random() < 0.01;
INSERT INTO made SELECT id, check_at FROM site WHERE check_at IS NOT NULL AND id % 2 = 0;
INSERT INTO made SELECT id, date_trunc('hour', now() - interval '3 hours') FROM site;
INSERT INTO made SELECT id, scheduled_from FROM site WHERE isfinite(scheduled_from) AND scheduled_from > now() - interval '40 hours';
INSERT INTO check_result (site_id, scheduled_at, outcome)
SELECT id, at, (enum_range(NULL::check_outcome))[1 + floor(random() * 5)] FROM made
WHERE at >= date_trunc('day', now(), 'UTC') - interval '2 days' ON CONFLICT DO NOTHING;
