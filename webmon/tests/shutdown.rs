//! How a service ends when it is told to, seen from outside: its exit code and its last words.

use std::time::Duration;

use testbed::{Cluster, Finished, Process, Settings, eventually, free_address};

/// How long anything may take that is no stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a service may take that is to end at once.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long the probes of these tests take.
const SLOW: &str = "/slow/20000/site";

/// A checker with a probe under way that takes longer than any of these tests.
async fn probing(cluster: &Cluster) -> (Process, Process) {
    let url = cluster.website.url(SLOW);
    cluster
        .execute(&format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms, check_at)
             VALUES ('slow', '{url}', 60000, 30000, now())"
        ))
        .await;
    let services = (cluster.scheduler("scheduler"), cluster.checker("checker"));
    eventually(PATIENCE, "the probe is under way", async || {
        (cluster.website.total_hits() > 0).then_some(())
    })
    .await;
    services
}

/// It failed, and said so.
fn assert_failed(ended: &Finished, words: &str) {
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_checker_at_once_whatever_is_under_way() {
    let cluster = Cluster::start("second-signal").await;
    let (_scheduler, mut checker) = probing(&cluster).await;
    checker.terminate();
    checker.line_seen("asked to stop", PATIENCE).await;
    checker.interrupt();
    let ended = checker.finish(AT_ONCE).await;
    assert_failed(&ended, "stopped at once by a second signal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_outlasts_its_deadline_names_the_stage_that_holds_it_up() {
    let mut cluster = Cluster::start("deadline").await;
    cluster.settings.checker = "drain: 2s\n".to_owned();
    let (mut scheduler, checker) = probing(&cluster).await;
    checker.terminate();
    let ended = checker.finish(AT_ONCE + Duration::from_secs(2)).await;
    assert_failed(&ended, "not stopped within 2s: record");
    // Nothing else is held up.
    scheduler.terminate();
    assert_eq!(scheduler.wait(PATIENCE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_still_waits_for_its_database_stops_as_asked() {
    let folder = tempfile::TempDir::new().unwrap();
    let nowhere = format!("postgres://webmon@{}/webmon", free_address());
    let settings = Settings::plain(&nowhere, "webmon.test.never");
    for (program, config) in [
        ("scheduler", settings.scheduler(folder.path(), "scheduler")),
        ("checker", settings.checker(folder.path(), "checker")),
    ] {
        let mut service = config.start(program, program);
        service.line_seen("does not answer", PATIENCE).await;
        service.terminate();
        assert_eq!(service.wait(AT_ONCE).await, 0, "{program}");
    }
}
