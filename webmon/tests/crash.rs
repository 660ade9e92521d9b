//! The whole path when its processes are killed: nothing is lost, nothing is there twice.

use testbed::{Cluster, TWO_THOUSAND};

/// How long the services run before they are judged.
const LOAD_MS: i64 = 30_000;
/// When two of them are killed.
const CRASH_MS: i64 = 12_000;
/// When they are started again: later than a consumer group's session timeout.
const RESTART_MS: i64 = 19_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_scheduler_and_a_killed_checker_lose_nothing() {
    let cluster = Cluster::start("crash").await;
    cluster.add(TWO_THOUSAND).await;
    let mut stay = [
        cluster.scheduler("scheduler-1"),
        cluster.checker("checker-1"),
    ];
    let die = [
        cluster.scheduler("scheduler-2"),
        cluster.checker("checker-2"),
    ];
    let start = cluster.now().await;

    cluster.scheduled_until(start + CRASH_MS).await;
    for service in die {
        service.kill();
    }
    cluster.scheduled_until(start + RESTART_MS).await;
    let mut again = [
        cluster.scheduler("scheduler-3"),
        cluster.checker("checker-3"),
    ];

    let report = cluster.audit(start + LOAD_MS).await;
    report.show();
    report.assert_clean();
    assert!(
        report.due > 15_000,
        "the sites were not all judged\n{report}"
    );
    assert!(
        report.rows("up") * 3 > report.due * 2,
        "too few checks were made\n{report}"
    );
    for service in stay.iter_mut().chain(&mut again) {
        service.assert_running();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_due_while_nobody_scheduled_is_a_gap() {
    let cluster = Cluster::start("gap").await;
    cluster.add(TWO_THOUSAND).await;
    let services = [
        cluster.scheduler("scheduler-1"),
        cluster.checker("checker-1"),
    ];
    let start = cluster.now().await;
    cluster.scheduled_until(start + 5_000).await;
    for service in services {
        service.kill();
    }
    let killed = cluster.now().await;
    testbed::eventually(
        std::time::Duration::from_secs(20),
        "five seconds pass without webmon",
        async || (cluster.now().await > killed + 5_000).then_some(()),
    )
    .await;
    let _services = [
        cluster.scheduler("scheduler-2"),
        cluster.checker("checker-2"),
    ];

    let report = cluster.audit(killed + 10_000).await;
    report.show();
    report.assert_clean();
    assert!(
        report.in_gaps > 0,
        "nobody scheduled for five seconds\n{report}"
    );
}
