//! A checker and its limit of open files: it takes what it may, and keeps some for its own connections.

use std::time::Duration;

use testbed::{Cluster, Crowd, eventually, get, show};

/// How long something may take that takes a few seconds.
const SOON: Duration = Duration::from_mins(1);
/// Sites whose answers take a second: more than there are files.
const SLOW: Crowd = Crowd::new("slow", "/slow/1000", 5_000, 300);

#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_is_raised_to_the_hard_one() {
    let cluster = Cluster::start("files").await;
    let (mut checker, _) = cluster.checker_with_files([256, 4_096], "checker");
    checker.line_seen("checking slots=1024", SOON).await;
    assert_eq!(checker.files_allowed(), [4_096, 4_096]);
    assert!(!checker.said().contains("`slots`"), "{}", checker.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_leave_files_for_recording_and_for_those_who_ask() {
    let cluster = Cluster::start("few-files").await;
    let mut scheduler = cluster.scheduler("scheduler");
    let (mut checker, listen) = cluster.checker_with_files([128, 128], "checker");
    let said = "`slots` is 1024, but this process may open 128 files only, so that 32 checks are made at once: \
                lower `slots`, or allow 2144 open files";
    checker.line_seen(said, SOON).await;
    checker.line_seen("checking slots=32", SOON).await;
    cluster.add(&[SLOW]).await;
    let count = |what: &'static str| cluster.number(what);
    eventually(SOON, "many checks are made, and more wait", async || {
        checker.assert_running();
        let up = count("SELECT count(*) FROM check_result WHERE outcome = 'up'").await;
        let backlog = count("SELECT count(*) FROM check_result WHERE reason = 'backlog'").await;
        let answer = get(listen, "/readyz").await?;
        (up > 100 && backlog > 0 && answer.starts_with("HTTP/1.1 200")).then_some(())
    })
    .await;
    let blamed = count(
        "SELECT count(*) FROM check_result WHERE reason = 'local_resources' OR outcome = 'down'",
    );
    let blamed = blamed.await;
    show(format_args!("{blamed} checks lacked files"));
    assert_eq!(blamed, 0);
    scheduler.assert_running();
}
