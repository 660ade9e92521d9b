//! The whole path, for real: two schedulers and two checkers, 2,000 sites, `PostgreSQL` and Kafka.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use testbed::{Cluster, Crowd, Process, TWO_THOUSAND, sites_file};

/// How long the services run before they are judged.
const LOAD_MS: i64 = 30_000;
/// When people begin to change the sites, and when they end; before `LOAD_MS` by more than the
/// horizon and the longest interval, so that every changed site is judged too.
const CHANGES_MS: std::ops::Range<i64> = 3_000..18_000;
/// How long the transaction of a slow client stays open.
const SLOW_CLIENT_MS: i64 = 3_000;
/// The sites of a file that is applied meanwhile.
const APPLIED: &[Crowd] = &[
    Crowd {
        name: "applied",
        path: "/ok",
        interval_ms: 1_000,
        count: 100,
    },
    Crowd {
        name: "disabled",
        path: "/ok",
        interval_ms: 500,
        count: 20,
    },
];
/// How long a service may take to stop.
const STOP: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn every_due_instant_has_exactly_one_row_whatever_people_change() {
    let cluster = Cluster::start("pipeline").await;
    cluster.add(TWO_THOUSAND).await;
    let mut services = [
        cluster.scheduler("scheduler-1"),
        cluster.scheduler("scheduler-2"),
        cluster.checker("checker-1"),
        cluster.checker("checker-2"),
    ];
    let start = cluster.now().await;
    let disabled_since = change_sites(&cluster, start).await;
    services.iter_mut().for_each(Process::assert_running);

    let report = cluster.audit(start + LOAD_MS).await;
    report.show();
    report.assert_clean();
    assert_eq!(
        report.in_gaps, 0,
        "nothing stood still, so nothing is a gap\n{report}"
    );
    assert!(
        report.due > 15_000,
        "the sites were not all judged\n{report}"
    );
    assert!(
        report.rows("up") * 100 > report.due * 85,
        "most of the sites are up\n{report}"
    );
    let probes = cluster.website.total_hits();
    assert!(
        probes >= report.lateness_us.len() as u64,
        "only {probes} probes\n{report}"
    );
    assert_disabled_sites_rest(&cluster, disabled_since).await;
    stop(&mut services).await;
}

/// Does to the sites what people do, round after round; returns when `disabled-%` were disabled.
async fn change_sites(cluster: &Cluster, start: i64) -> i64 {
    for (round, at) in CHANGES_MS.step_by(1_000).enumerate() {
        cluster.scheduled_until(start + at).await;
        for sql in changes(round) {
            cluster.execute(&sql).await;
        }
        if round == 4 {
            change_slowly(cluster).await;
        }
        if round == 8 {
            apply(cluster).await;
        }
    }
    cluster
        .execute("UPDATE site SET enabled = false WHERE name LIKE 'disabled-%'")
        .await;
    cluster.now().await
}

/// The statements of a round: each touches the sites whose id ends in the round's number.
fn changes(round: usize) -> [String; 7] {
    let ids = format!("id % 50 = {round}");
    [
        format!("UPDATE site SET name = 'renamed-' || id WHERE {ids} AND id % 3 = 0"),
        format!("UPDATE site SET interval_ms = interval_ms * 2 WHERE {ids} AND id % 3 = 1"),
        format!("UPDATE site SET enabled = false WHERE {ids} AND id % 3 = 2"),
        format!("UPDATE site SET enabled = true WHERE id % 50 = {round} - 3 AND NOT enabled"),
        format!("UPDATE site SET check_at = now() WHERE id % 50 = {round} + 20"),
        format!("DELETE FROM site WHERE id % 500 = {round} + 50"),
        format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms)
             SELECT name || '-added-{round}', url, interval_ms, timeout_ms FROM site
             WHERE id % 100 = {round} + 40"
        ),
    ]
}

/// Changes sites in a transaction that stays open while they are scheduled.
async fn change_slowly(cluster: &Cluster) {
    let transaction = cluster.connection().begin().await.unwrap();
    for sql in [
        "UPDATE site SET interval_ms = interval_ms * 2 WHERE id % 50 = 45",
        "UPDATE site SET name = 'slowly-' || id WHERE id % 50 = 46",
        "UPDATE site SET enabled = false WHERE id % 50 = 47",
        "INSERT INTO site (name, url, interval_ms, timeout_ms)
         SELECT 'slowly-added-' || id, url, interval_ms, timeout_ms FROM site WHERE id % 50 = 48",
    ] {
        transaction.execute_unprepared(sql).await.unwrap();
    }
    let begun = cluster.now().await;
    cluster.scheduled_until(begun + SLOW_CLIENT_MS).await;
    transaction.commit().await.unwrap();
}

/// Applies a file with new sites, sites with another interval, and sites that are disabled.
async fn apply(cluster: &Cluster) {
    let file = sites_file(APPLIED, &cluster.website);
    let applied = cluster.apply(&file).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let file = file.replacen("interval: 1000ms", "interval: 3s", 10);
    let changed = cluster.apply(&file).await;
    assert_eq!(changed.code, 0, "{}", changed.stderr);
}

/// A disabled site is checked at most up to what was scheduled when it was disabled.
async fn assert_disabled_sites_rest(cluster: &Cluster, disabled_since: i64) {
    let results = |when: &str| {
        format!(
            "SELECT count(*) FROM check_result JOIN site ON site.id = site_id
             WHERE name LIKE 'disabled-%' AND scheduled_at {when}"
        )
    };
    let last = format!("to_timestamp({disabled_since} / 1000.0) + interval '2 s'");
    assert!(
        cluster.number(&results("IS NOT NULL")).await > 0,
        "they were never checked"
    );
    assert_eq!(cluster.number(&results(&format!("> {last}"))).await, 0);
}

/// Stops everything at once, in good order.
async fn stop(services: &mut [Process]) {
    for service in &*services {
        service.terminate();
    }
    for service in services {
        assert_eq!(service.wait(STOP).await, 0);
    }
}
