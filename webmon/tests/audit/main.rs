//! `webmon audit` asks no more than the tables can tell.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use testbed::{Database, Finished, Process};

/// How long an audit may take.
const AUDIT: Duration = Duration::from_secs(30);
/// A site that is 40 days old, due every hour, and up ever since; of two days the results were dropped.
const OLD: &str = "
    SELECT webmon_attach_day((now() AT TIME ZONE 'UTC')::date - days) FROM generate_series(-1, 38) AS days;
    INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('shop', 'http://shop.example/', 3600000, 1000);
    UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '40 days');
    UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now()),
        reconciled_until = date_trunc('milliseconds', now() - interval '1 minute');
    INSERT INTO check_result (site_id, scheduled_at, outcome)
    SELECT id, timestamptz 'epoch' + ms * interval '1 millisecond', 'up'
    FROM site CROSS JOIN LATERAL generate_series(
        (extract(epoch FROM date_trunc('day', now(), 'UTC') - interval '38 days') * 1000)::bigint + phase_ms,
        (extract(epoch FROM now()) * 1000)::bigint, 3600000) AS ms";

/// Runs `webmon audit --since 60d` with these settings.
async fn audit(database: &Database, settings: &str) -> Finished {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    let url = database.url();
    std::fs::write(
        file.path(),
        format!("database: {{url: {url:?}}}\n{settings}"),
    )
    .unwrap();
    let config = file.path().to_str().unwrap();
    let arguments = ["audit", "--since", "60d", "--config", config];
    Process::run("webmon", arguments, AUDIT).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_retention_has_dropped_is_not_missed() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    connection.execute_unprepared(OLD).await.unwrap();
    // The rows of dropped days are gone, and so are the gaps that ended before.
    for settings in ["retention: 90d\n", "retention: 20d\n"] {
        let audit = audit(&database, settings).await;
        assert_eq!(audit.code, 0, "{}{}", audit.stdout, audit.stderr);
        assert!(
            audit.stdout.contains("the ledger balances"),
            "{}",
            audit.stdout
        );
    }
    connection
        .execute_unprepared("DELETE FROM check_result WHERE scheduled_at = (SELECT min(scheduled_at) FROM check_result)")
        .await
        .unwrap();
    let whole = audit(&database, "retention: 90d\n").await;
    assert_eq!(whole.code, 1, "{}", whole.stdout);
    assert!(whole.stderr.contains("1 checks left"), "{}", whole.stderr);
    let kept = audit(&database, "retention: 20d\n").await;
    assert_eq!(kept.code, 0, "{}", kept.stderr);
}

/// A site without any results, in each place that a person may have put an infinite instant in.
const INFINITE: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'shop-' || n, 'http://shop.example/', 3600000, 1000 FROM generate_series(1, 200) AS n;
    UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '2 days'),
        check_at = CASE id % 3 WHEN 0 THEN timestamptz 'infinity' WHEN 1 THEN timestamptz '-infinity' END;
    UPDATE site SET scheduled_from = CASE id % 2 WHEN 0 THEN timestamptz 'infinity' ELSE timestamptz '-infinity' END
    WHERE id % 5 = 0;
    SELECT webmon_attach_day((now() AT TIME ZONE 'UTC')::date - days) FROM generate_series(0, 3) AS days;
    UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now()),
        reconciled_until = date_trunc('milliseconds', now());
    UPDATE schedule_shard SET scheduled_until = 'infinity', reconciled_until = 'infinity' WHERE id % 4 = 1;
    UPDATE schedule_shard SET scheduled_until = '-infinity', reconciled_until = '-infinity' WHERE id % 4 = 2;
    INSERT INTO schedule_gap (shard, since, until) SELECT id, '-infinity', 'infinity' FROM schedule_shard";

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_that_is_infinite_stops_no_audit() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    connection.execute_unprepared(INFINITE).await.unwrap();
    let within_gaps = audit(&database, "retention: 90d\n").await;
    assert_eq!(within_gaps.code, 0, "{}", within_gaps.stderr);
    connection
        .execute_unprepared("DELETE FROM schedule_gap")
        .await
        .unwrap();
    let lost = audit(&database, "retention: 90d\n").await;
    assert_eq!(lost.code, 1, "{}", lost.stdout);
    assert!(
        lost.stderr.contains("checks left neither"),
        "{}",
        lost.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_the_one_that_its_definition_says() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let fill = include_str!("random.sql");
    connection.execute_unprepared(fill).await.unwrap();
    let shown = audit(&database, "retention: 90d\n").await;

    let sixty_days = 60 * 86_400_000_i64;
    let oracle = include_str!("oracle.sql");
    let oracle = format!(
        "SELECT concat_ws(' ', to_char(began AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), scheduled, up, \
        degraded, down, inconclusive, missed, in_gaps, open, unaccounted, not_due) FROM ({oracle}) AS hour"
    );
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, oracle, [sixty_days.into()]);
    let rows = connection.query_all_raw(statement).await.unwrap();
    let expected: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();

    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let hours: Vec<String> = shown.stdout.lines().skip(1).map(words).collect();
    assert!(expected.len() > 40, "{} hours", expected.len());
    for column in 2..=11 {
        let used = expected
            .iter()
            .any(|hour| hour.split(' ').nth(column) != Some("0"));
        assert!(used, "nothing in column {column}: {expected:#?}");
    }
    assert_eq!(hours, expected);
    assert_eq!(shown.code, 1, "{}", shown.stderr);
}
