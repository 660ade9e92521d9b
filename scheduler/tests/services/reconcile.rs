//! What was lost is recorded: exactly the instants that were due, and have neither row nor gap.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::GRACE;
use scheduler::upkeep::reconcile::{Cutoff, reconcile, start_over};
use sea_orm::QueryResult;

use crate::bed::{Bed, Site};
use crate::law;

/// How long results are kept.
const RETENTION: Duration = Duration::from_hours(30 * 24);
/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;

/// The past of a database: reconciled up to three hours ago, scheduled up to 70 s ago, so that what may be
/// reconciled does not depend on when a test asks.
const PAST: &str = "
    SELECT webmon_attach_day(((now() AT TIME ZONE 'UTC')::date - days)) FROM generate_series(-1, 4) AS days;
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'shop ' || n, 'http://shop-' || n || '.example/',
        (ARRAY[30000, 60000, 7000000, 86400000])[1 + n % 4], 100
    FROM generate_series(1, 60) AS n;
    UPDATE site SET enabled = false WHERE id % 11 = 0;
    UPDATE site SET check_at = date_trunc('milliseconds', now() - interval '70 minutes') WHERE id % 5 = 0;
    UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '1 hour' * (1 + id % 40))
        WHERE enabled AND id % 7 <> 0;
    UPDATE schedule_shard SET
        reconciled_until = date_trunc('milliseconds', now() - interval '3 hours'),
        scheduled_until = date_trunc('milliseconds', now() - interval '70 seconds');
    INSERT INTO schedule_gap (shard, since, until)
        SELECT shard, date_trunc('milliseconds', now() - interval '150 minutes'),
            date_trunc('milliseconds', now() - interval '130 minutes') FROM generate_series(0, 63, 3) AS shard";

/// A result for a part of the instants of each site, whatever the site.
const ROWS: &str = "
    INSERT INTO check_result (site_id, scheduled_at, outcome)
    SELECT id, timestamptz 'epoch' + (phase_ms + interval_ms::bigint * number) * interval '1 millisecond', 'up'
    FROM site CROSS JOIN LATERAL (
        SELECT (extract(epoch FROM now()) * 1000)::bigint / interval_ms - back AS number
        FROM generate_series(0, least(10800000 / interval_ms, 200)) AS back
    ) AS instant WHERE number % 3 <> 0
        AND timestamptz 'epoch' + (phase_ms + interval_ms::bigint * number) * interval '1 millisecond' < now()";

/// All sites have been scheduled for an hour or longer, without a gap, and have a result for every instant;
/// some are to be checked once more at an instant that never comes.
const EVERY_ROW: &str = "
    DELETE FROM schedule_gap;
    UPDATE site SET check_at = CASE WHEN id % 3 = 0 THEN timestamptz 'infinity' END, scheduled_from = NULL;
    UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '1 hour' * (1 + id % 40));
    INSERT INTO check_result (site_id, scheduled_at, outcome)
    SELECT id, timestamptz 'epoch' + (phase_ms + interval_ms::bigint * number) * interval '1 millisecond', 'up'
    FROM site CROSS JOIN LATERAL generate_series(
        (extract(epoch FROM now() - interval '30 hours') * 1000)::bigint / interval_ms,
        (extract(epoch FROM now()) * 1000)::bigint / interval_ms) AS number";

/// A site's instant.
type Instant = (i64, i64);

/// A database with that past.
async fn past(purpose: &str) -> Bed {
    let bed = Bed::new(purpose).await;
    bed.execute(PAST).await;
    bed.execute(ROWS).await;
    bed
}

/// The instants with a row for which `condition` holds.
async fn rows(bed: &Bed, condition: &str) -> BTreeSet<Instant> {
    let rows = bed
        .rows(&format!(
            "SELECT site_id, (extract(epoch FROM scheduled_at) * 1000)::bigint
             FROM check_result WHERE {condition}"
        ))
        .await;
    let instant = |row: &QueryResult| {
        (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
        )
    };
    rows.iter().map(instant).collect()
}

/// The instants that were recorded as lost.
async fn lost(bed: &Bed) -> BTreeSet<Instant> {
    rows(bed, "outcome = 'missed' AND reason = 'lost'").await
}

/// The instants without row or gap of each reconciled site, in the span that `span` gives for it.
async fn missing(bed: &Bed, span: impl Fn(&Site) -> (i64, i64)) -> BTreeSet<Instant> {
    let (found, gaps) = (rows(bed, "true").await, crate::downtime::gaps(bed).await);
    let sites = bed.sites().await;
    let reconciled = sites
        .iter()
        .filter(|site| site.enabled)
        .filter_map(|site| Some((site, site.scheduled_from?)));
    reconciled
        .flat_map(|(site, from)| {
            let (since, until) = span(site);
            site.due((since.max(from), until))
                .into_iter()
                .map(move |at| (site, at))
        })
        .filter(|(site, at)| !found.contains(&(site.id, *at)))
        .filter(|(site, at)| {
            let shard = law::shard(&site.name);
            !gaps.iter().any(|gap| gap.holds(shard, *at))
        })
        .map(|(site, at)| (site.id, at))
        .collect()
}

/// `(reconciled_until, scheduled_until)`, the same for all shards.
async fn edges(bed: &Bed) -> (i64, i64) {
    let edge = async |column: &str| {
        let sql = format!(
            "SELECT DISTINCT (extract(epoch FROM {column}) * 1000)::bigint FROM schedule_shard"
        );
        assert_eq!(bed.rows(&sql).await.len(), 1, "{column}");
        bed.number(&sql).await
    };
    (
        edge("reconciled_until").await,
        edge("scheduled_until").await,
    )
}

/// Reconciles, compares with the law, and reconciles again.
async fn assert_reconciled(bed: &Bed, cutoff: Cutoff, expected: BTreeSet<Instant>, until: i64) {
    assert!(expected.len() > 100, "only {} instants", expected.len());
    let count = reconcile(&bed.database, cutoff, RETENTION).await.unwrap();
    let found = lost(bed).await;
    let (more, less): (Vec<_>, Vec<_>) = (
        found.difference(&expected).collect(),
        expected.difference(&found).collect(),
    );
    assert!(
        more.is_empty() && less.is_empty(),
        "too many: {more:?}, too few: {less:?}"
    );
    assert_eq!(count, u64::try_from(expected.len()).unwrap());
    assert_eq!(edges(bed).await.0, until);
    let again = reconcile(&bed.database, cutoff, RETENTION).await.unwrap();
    assert_eq!(again, 0);
    assert_eq!(lost(bed).await, expected);
}

#[tokio::test]
async fn by_due_instant_exactly_what_was_due_and_not_judged_before_is_lost() {
    let bed = past("by-due").await;
    let (reconciled, scheduled) = edges(&bed).await;
    // What was reconciled by expiry before left out what had not expired.
    let span = |site: &Site| (reconciled - site.interval_ms, scheduled);
    let expected = missing(&bed, span).await;
    assert!(
        bed.sites().await.iter().any(|site| site
            .check_at
            .is_some_and(|at| expected.contains(&(site.id, at)))),
        "no check_at is judged"
    );
    assert_reconciled(&bed, Cutoff::Due, expected, scheduled).await;
}

#[tokio::test]
async fn by_expiry_exactly_what_has_expired_is_lost_and_no_daily_site_is_judged_early() {
    let bed = past("by-expiry").await;
    let (reconciled, scheduled) = edges(&bed).await;
    let span = |site: &Site| (reconciled - site.interval_ms, scheduled - site.interval_ms);
    let expected = missing(&bed, span).await;
    let daily = bed.sites().await;
    let daily = daily.iter().filter(|site| site.interval_ms == 24 * HOUR);
    let early: Vec<_> = daily
        .flat_map(|site| expected.iter().filter(|(id, _)| *id == site.id))
        .filter(|(_, at)| at + 24 * HOUR > scheduled)
        .collect();
    assert!(early.is_empty(), "{early:?}");
    assert_reconciled(&bed, Cutoff::Expired, expected, scheduled).await;
}

/// Of most sites a row in the span is put where its site is not due: the first, the last or one between,
/// aside by a millisecond or by half an interval.
async fn put_aside(bed: &Bed, span: impl Fn(&Site) -> (i64, i64)) {
    for (number, site) in bed.sites().await.iter().enumerate() {
        let (since, until) = span(site);
        let since = since.max(site.scheduled_from.unwrap());
        let due: Vec<_> = site.due((since, until)).into_iter().collect();
        let at = [due.first(), due.last(), due.get(due.len() / 2), None][number / 4 % 4];
        if let Some(at) = at {
            let aside = at + [1, -1, site.interval_ms / 2][number % 3];
            let aside = aside.clamp(since + 1, until);
            bed.execute(&format!(
                "UPDATE check_result SET scheduled_at = timestamptz 'epoch' + {aside} * interval '1 millisecond'
                 WHERE site_id = {} AND scheduled_at = timestamptz 'epoch' + {at} * interval '1 millisecond'",
                site.id
            ))
            .await;
        }
    }
}

#[tokio::test]
async fn one_lacking_instant_is_found_wherever_it_lies_and_no_row_aside_makes_up_for_it() {
    for cutoff in [Cutoff::Expired, Cutoff::Due] {
        let bed = Bed::new("aside").await;
        bed.execute(PAST).await;
        bed.execute(EVERY_ROW).await;
        let (reconciled, scheduled) = edges(&bed).await;
        let span = |site: &Site| match cutoff {
            Cutoff::Expired => (reconciled - site.interval_ms, scheduled - site.interval_ms),
            Cutoff::Due => (reconciled - site.interval_ms, scheduled),
        };
        assert_eq!(missing(&bed, span).await, BTreeSet::new());
        put_aside(&bed, span).await;
        let expected = missing(&bed, span).await;
        assert!(expected.len() > 30, "only {} instants", expected.len());
        reconcile(&bed.database, cutoff, RETENTION).await.unwrap();
        assert_eq!(lost(&bed).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_scheduler_records_what_was_lost() {
    let bed = past("running").await;
    let (reconciled, scheduled) = edges(&bed).await;
    let span = |site: &Site| (reconciled - site.interval_ms, scheduled - site.interval_ms);
    let expected = missing(&bed, span).await;
    let mut running = bed.start();
    let count = u64::try_from(expected.len()).unwrap();
    running.counted("webmon_checks_lost_total", count).await;
    assert_eq!(lost(&bed).await, expected);
    running.stop().await;
}

#[tokio::test]
async fn by_expiry_nothing_is_judged_within_the_grace() {
    let bed = past("grace").await;
    // Scheduled ahead, as by a scheduler that runs.
    bed.execute("UPDATE schedule_shard SET scheduled_until = now() + interval '2 seconds'")
        .await;
    reconcile(&bed.database, Cutoff::Expired, RETENTION)
        .await
        .unwrap();
    let now = bed.now().await;
    let grace = i64::try_from(GRACE.as_millis()).unwrap();
    let (reconciled, _) = edges(&bed).await;
    assert!(reconciled <= now - grace, "{reconciled} at {now}");
    let (sites, found) = (bed.sites().await, lost(&bed).await);
    assert!(!found.is_empty());
    for (id, at) in found {
        let site = sites.iter().find(|site| site.id == id).unwrap();
        assert!(
            at + site.interval_ms <= now - grace,
            "{at} of {site:?} at {now}"
        );
    }
}

#[tokio::test]
async fn several_days_are_judged_in_steps_without_a_seam() {
    let bed = past("steps").await;
    bed.execute(
        "UPDATE schedule_shard SET reconciled_until = date_trunc('milliseconds', now() - interval '80 hours');
         UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '78 hours')
         WHERE scheduled_from IS NOT NULL",
    )
    .await;
    let (_, scheduled) = edges(&bed).await;
    for cutoff in [Cutoff::Expired, Cutoff::Due] {
        let (reconciled, before) = (edges(&bed).await.0, lost(&bed).await);
        let late = |site: &Site| {
            if cutoff == Cutoff::Expired {
                site.interval_ms
            } else {
                0
            }
        };
        let span = |site: &Site| (reconciled - site.interval_ms, scheduled - late(site));
        let expected: BTreeSet<_> = missing(&bed, span).await;
        reconcile(&bed.database, cutoff, RETENTION).await.unwrap();
        let found: BTreeSet<_> = lost(&bed).await.difference(&before).copied().collect();
        let (more, less): (Vec<_>, Vec<_>) = (
            found.difference(&expected).collect(),
            expected.difference(&found).collect(),
        );
        assert!(
            more.is_empty() && less.is_empty(),
            "{cutoff:?}: too many: {more:?}, too few: {less:?}"
        );
        assert_eq!(edges(&bed).await.0, scheduled);
    }
}

#[tokio::test]
async fn two_at_once_do_no_harm() {
    let bed = past("two").await;
    let (reconciled, scheduled) = edges(&bed).await;
    let expected = missing(&bed, |site| (reconciled - site.interval_ms, scheduled)).await;
    let other = bed.connect().await;
    let (one, two) = tokio::join!(
        reconcile(&bed.database, Cutoff::Due, RETENTION),
        reconcile(&other, Cutoff::Due, RETENTION),
    );
    let count = u64::try_from(expected.len()).unwrap();
    assert_eq!(one.unwrap() + two.unwrap(), count);
    assert_eq!(lost(&bed).await, expected);
    assert_eq!(edges(&bed).await.0, scheduled);
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_not_judged() {
    let bed = past("retention").await;
    bed.execute(
        "UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '78 hours')",
    )
    .await;
    bed.execute("UPDATE schedule_shard SET reconciled_until = date_trunc('milliseconds', now() - interval '400 days')")
        .await;
    let now = bed.now().await;
    reconcile(&bed.database, Cutoff::Due, Duration::from_hours(30))
        .await
        .unwrap();
    let (sites, found) = (bed.sites().await, lost(&bed).await);
    assert!(!found.is_empty());
    for (id, at) in found {
        let site = sites.iter().find(|site| site.id == id).unwrap();
        assert!(at > now - 30 * HOUR - site.interval_ms, "{site:?}");
    }
}

#[tokio::test]
async fn starting_over_moves_scheduled_until_back_to_now_and_never_forward() {
    let bed = past("start-over").await;
    bed.execute(
        "UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now() + interval '5 minutes')
         WHERE id % 2 = 0",
    )
    .await;
    let (before, started) = (bed.scheduled_until().await, bed.now().await);
    start_over(&bed.database, RETENTION).await.unwrap();
    let ended = bed.now().await;
    for (shard, until) in bed.scheduled_until().await {
        if shard % 2 == 0 {
            assert!(
                (started..=ended).contains(&until),
                "{until}: {started} to {ended}"
            );
        } else {
            assert_eq!(until, before[&shard]);
        }
    }
    let found = lost(&bed).await;
    assert!(!found.is_empty());
    assert!(found.iter().all(|(_, at)| *at <= ended));
}
