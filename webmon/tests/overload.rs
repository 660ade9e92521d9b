//! More to do than the checkers can: nothing is lost, memory stays bounded, each site gets a share, and those
//! that can be checked in time are.

use std::time::Duration;

use testbed::{Cluster, Crowd, Process, eventually, show};

/// How long there is too much to do, in milliseconds.
const OVERLOAD_MS: i64 = 20_000;
/// The checkers' slots. Of the slow sites' answers, which take half a second, they can await 128 a second.
const SLOTS: &str = "slots: 64\n";
/// Ten times as many checks a second.
const SLOW: &[Crowd] = &[
    Crowd::new("second", "/slow/500", 1_000, 640),
    Crowd::new("ten-seconds", "/slow/500", 10_000, 3_200),
    Crowd::new("minute", "/slow/500", 60_000, 19_200),
];
/// What is left to do afterwards.
const LEFT: Crowd = Crowd::new("left", "/ok", 1_000, 50);
/// Sites that do not answer in their 2 s: they would take 2,000 slots.
const HANGING: Crowd = Crowd::new("hanging", "/slow/600000", 5_000, 5_000);
/// As many slots as there are by default. After 10 s each of these sites has had one and is known.
const HALF_AS_MANY_SLOTS: &str = "slots: 1024\n";
/// The most that the checker may have in memory beside what it has at rest: what may be held, results that
/// wait, and what Kafka's library has read ahead.
const MOST_MIB: u64 = 64 + 32 + 32;

/// An instant as SQL writes it.
fn at(millis: i64) -> String {
    format!("(timestamptz 'epoch' + {millis} * interval '1 millisecond')")
}

/// How late the checks of a crowd started that were due in `(from, until]`: the 99th percentile, in
/// milliseconds. One that was not started is as late as can be.
async fn lateness_p99_ms(cluster: &Cluster, name: &str, from: i64, until: i64) -> i64 {
    let (from, until) = (at(from), at(until));
    cluster
        .number(&format!(
            "SELECT coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY
                coalesce(extract(epoch FROM started_at - scheduled_at) * 1000, 1000000)), 1000000)::bigint
             FROM check_result JOIN site ON site.id = site_id
             WHERE name LIKE '{name}-%' AND scheduled_at > {from} AND scheduled_at <= {until}"
        ))
        .await
}

/// How many percent of a crowd's checks were made that were due in `(from, until]`.
async fn percent_made(cluster: &Cluster, name: &str, from: i64, until: i64) -> i64 {
    let (from, until) = (at(from), at(until));
    cluster
        .number(&format!(
            "SELECT 100 * count(started_at) / greatest(count(*), 1) FROM check_result JOIN site ON site.id = site_id
             WHERE name LIKE '{name}-%' AND scheduled_at > {from} AND scheduled_at <= {until}"
        ))
        .await
}

/// Waits until the services are at work.
async fn checks_are_made(cluster: &Cluster) {
    eventually(Duration::from_secs(30), "a check is made", async || {
        let made = "SELECT count(started_at) FROM check_result";
        (cluster.number(made).await > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_times_too_much_is_shared_fairly_and_forgotten_within_seconds() {
    let mut cluster = Cluster::start("overload").await;
    SLOTS.clone_into(&mut cluster.settings.checker);
    cluster.add(&[LEFT]).await;
    let mut scheduler = cluster.scheduler("scheduler");
    let mut checker = cluster.checker("checker");
    checks_are_made(&cluster).await;
    let at_rest = checker.peak_mib();
    cluster.add(SLOW).await;
    let begun = cluster.now().await;
    let report = cluster.audit(begun + OVERLOAD_MS).await;
    report.show();
    report.assert_clean();
    assert_eq!(report.rows("missed/lost"), 0, "{report}");
    cluster
        .execute("UPDATE site SET enabled = false WHERE name NOT LIKE 'left-%'")
        .await;
    // two seconds are scheduled already, and no task waits for more than five
    let calm = cluster.now().await + 8_000;
    cluster.audit(calm + 5_000).await.assert_clean();
    let (from, until) = (begun + 8_000, begun + OVERLOAD_MS);
    let mut shares = Vec::new();
    for crowd in SLOW.iter().chain([&LEFT]) {
        shares.push(percent_made(&cluster, crowd.name, from, until).await);
    }
    let late = lateness_p99_ms(&cluster, LEFT.name, calm, calm + 5_000).await;
    let grown = checker.peak_mib() - at_rest;
    show(format_args!(
        "made under overload, of each interval: {shares:?} %; afterwards {late} ms late (p99); grown by {grown} MiB"
    ));
    assert!(
        shares.iter().all(|share| (4..=30).contains(share)),
        "not everybody has a share: {shares:?} %"
    );
    assert!(late < 100, "{late} ms late afterwards");
    assert!(grown < MOST_MIB, "grown by {grown} MiB");
    scheduler.assert_running();
    checker.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_hang_do_not_make_others_late() {
    let mut cluster = Cluster::start("hanging").await;
    HALF_AS_MANY_SLOTS.clone_into(&mut cluster.settings.checker);
    cluster.add(&[LEFT]).await;
    let mut services: [Process; 2] = [cluster.scheduler("scheduler"), cluster.checker("checker")];
    checks_are_made(&cluster).await;
    cluster.add(&[HANGING]).await;
    let start = cluster.now().await;
    // and who had to wait until then is through
    let known = start + 18_000;
    let until = known + 10_000;
    let report = cluster.audit(until).await;
    report.show();
    report.assert_clean();
    assert_eq!(report.rows("missed/lost"), 0, "{report}");
    let late = lateness_p99_ms(&cluster, LEFT.name, known, until).await;
    let hung = cluster
        .number("SELECT count(*) FROM check_result WHERE reason = 'response_timeout'")
        .await;
    show(format_args!(
        "beside 5,000 sites that hang others started {late} ms late (p99); {hung} were waited for"
    ));
    assert!(late < 100, "{late} ms late");
    assert!(hung > 500, "only {hung} were waited for");
    services.iter_mut().for_each(Process::assert_running);
}
