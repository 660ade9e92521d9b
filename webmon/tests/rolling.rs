//! Everything is replaced under load, one process after the other: the results do not show it.

use testbed::{Cluster, Service, TWO_THOUSAND};

/// How long the services run before the first is replaced, and after the last: longer than the longest
/// interval.
const AROUND_MS: i64 = 12_000;

/// Starts a scheduler or a checker, and waits until it is ready.
async fn service(cluster: &Cluster, program: &str, name: &str) -> Service {
    let config = match program {
        "scheduler" => cluster.settings.scheduler(cluster.folder(), name),
        _ => cluster.settings.checker(cluster.folder(), name),
    };
    let mut started = Service::start(name, program, config);
    started.ready().await;
    started
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_misses_nothing_records_each_check_once_and_leaves_no_gap() {
    let cluster = Cluster::start("rolling").await;
    cluster.add(TWO_THOUSAND).await;
    let programs = ["scheduler", "scheduler", "checker", "checker"];
    let mut services = Vec::new();
    for (number, program) in programs.into_iter().enumerate() {
        let name = format!("{program}-{number}");
        services.push(service(&cluster, program, &name).await);
    }
    // What was due before the first checker was there is not the matter.
    let start = cluster.now().await;
    cluster.scheduled_until(start + AROUND_MS).await;
    let before = cluster.audit(start).await;

    for (number, program) in programs.into_iter().enumerate() {
        services.remove(0).stop().await;
        let name = format!("{program}-{number}-again");
        services.push(service(&cluster, program, &name).await);
    }
    let end = cluster.now().await + AROUND_MS;

    let report = cluster.audit(end).await;
    report.show();
    report.assert_clean();
    assert_eq!(
        report.rows("missed"),
        before.rows("missed"),
        "before: {before}\nafter: {report}"
    );
    assert_eq!(report.in_gaps, before.in_gaps, "{report}");
    assert!(
        report.due > before.due + 10_000,
        "there was no load\n{report}"
    );
    // No task waited for a hand-over either, which takes the group a second and more.
    cluster.assert_punctual(start, &report).await;
    for service in services {
        service.stop().await;
    }
}
