//! A checker that stands still: no site is blamed for what it did not hear.

use std::time::Duration;

use testbed::{Cluster, Crowd, eventually};

/// Sites that answer after a while, so that a checker which stops has many checks under way.
const SLOW: Crowd = Crowd::new("slow", "/slow/700", 1_000, 100);

#[tokio::test(flavor = "multi_thread")]
async fn no_site_is_blamed_while_the_checker_stands_still() {
    let cluster = Cluster::start("stall").await;
    cluster.add(&[SLOW]).await;
    let mut scheduler = cluster.scheduler("scheduler");
    let mut checker = cluster.checker("checker");
    eventually(Duration::from_secs(30), "sites are up", async || {
        let up = "SELECT count(*) FROM check_result WHERE outcome = 'up'";
        (cluster.number(up).await > 100).then_some(())
    })
    .await;
    checker.freeze();
    // longer than the timeout of 1 s, shorter than the group's patience
    let frozen = cluster.now().await;
    let recorded = cluster
        .number("SELECT count(started_at) FROM check_result")
        .await;
    let asked = i64::try_from(cluster.website.total_hits()).unwrap();
    assert!(
        asked > recorded + 30,
        "too few checks are under way: {asked} asked, {recorded} recorded"
    );
    eventually(Duration::from_secs(10), "three seconds pass", async || {
        (cluster.now().await > frozen + 3_000).then_some(())
    })
    .await;
    checker.thaw();
    checker
        .line_seen("this process stood still", Duration::from_secs(10))
        .await;

    let report = cluster.audit(frozen + 8_000).await;
    report.show();
    report.assert_clean();
    assert_eq!(report.rows("down"), 0, "{report}");
    scheduler.assert_running();
    checker.assert_running();
}
