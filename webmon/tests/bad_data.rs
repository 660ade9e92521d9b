//! Nonsense on the topic and in the tables: it is accounted for, or stepped over, and stops no service.

use std::net::SocketAddr;
use std::time::Duration;

use scheduler::upkeep::reconcile::{Cutoff, reconcile};
use testbed::{Cluster, Crowd, Process, eventually, metric};

/// How long results may take.
const RESULTS: Duration = Duration::from_secs(30);
/// The sites around the nonsense.
const SITES: &[Crowd] = &[Crowd {
    name: "healthy",
    path: "/ok",
    interval_ms: 500,
    count: 20,
}];
/// The id of a site that is only on the topic.
const STRANGER: i64 = 4_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn poison_on_the_topic_is_stepped_over() {
    let cluster = Cluster::start("poison").await;
    let (services, checker) = healthy(&cluster).await;
    let now = cluster.now().await;
    let far_at = now + 3_600_000;
    let ours = cluster.installation().await;
    let far = format!(
        r#"{{"v":1,"installation":"{ours}","site_id":{STRANGER},"scheduled_at":{far_at}}}"#
    );
    // The year 2100.
    let farther = far.replace(&format!("{far_at}"), "4102444800000");
    // The beginning of 1970, and a message of before there were installations.
    let long_ago = far.replace(&format!("{far_at}"), "1");
    let nameless = format!(r#"{{"v":1,"site_id":{STRANGER},"scheduled_at":{now}}}"#);
    let poison: [&[u8]; 11] = [
        b"",
        b"not JSON at all",
        b"\xff\xfe\x00",
        b"[1, 2, 3]",
        br#"{"v":1}"#,
        br#"{"v":2,"site_id":1,"scheduled_at":1}"#,
        br#"{"v":1,"site_id":"1","scheduled_at":1}"#,
        far.as_bytes(),
        farther.as_bytes(),
        long_ago.as_bytes(),
        nameless.as_bytes(),
    ];
    // As many keys, so that every partition gets some; a program that has mistaken the topic does not
    // stop after a few.
    for key in 0..160 {
        let key = key.to_string();
        let messages = poison.iter().map(|message| (key.as_str(), *message));
        cluster.topic.produce(messages);
    }
    eventually(RESULTS, "all the poison is counted", async || {
        (metric(checker, "webmon_poison_total").await >= 1_760.0).then_some(())
    })
    .await;
    assert_few_lines(&services[1], "stepped over a message");
    assert_healthy(&cluster).await;
    let sql = format!("SELECT count(*) FROM check_result WHERE site_id = {STRANGER}");
    assert_eq!(cluster.number(&sql).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_makes_no_sense_is_an_invalid_site() {
    let cluster = Cluster::start("nonsense").await;
    let (services, _) = healthy(&cluster).await;
    let now = cluster.now().await;
    let ours = cluster.installation().await;
    for (n, rest) in [
        (0, r#""name":5"#),
        (
            1,
            r#""name":"x","url":"http://127.0.0.1/","timeout_ms":"soon""#,
        ),
        (
            2,
            r#""name":"x","url":"nowhere","expires_at":9e15,"request":{},"expect":{}"#,
        ),
    ] {
        let at = now + n;
        let message = format!(
            r#"{{"v":1,"installation":"{ours}","site_id":{STRANGER},"scheduled_at":{at},{rest}}}"#
        );
        cluster.topic.produce([("x", message.as_bytes())]);
    }
    let sql = format!(
        "SELECT count(*) FROM check_result WHERE site_id = {STRANGER} AND scheduled_at >= \
         to_timestamp({now} / 1000.0) AND outcome = 'inconclusive' AND reason = 'invalid_site'"
    );
    eventually(RESULTS, "each such task is an invalid site", async || {
        (cluster.number(&sql).await == 3).then_some(())
    })
    .await;
    let many: Vec<_> = (10..500)
        .map(|n| {
            format!(
                r#"{{"v":1,"installation":"{ours}","site_id":{STRANGER},"scheduled_at":{}}}"#,
                now + n
            )
        })
        .collect();
    let messages = many.iter().map(|message| ("x", message.as_bytes()));
    cluster.topic.produce(messages);
    eventually(RESULTS, "all of them are invalid sites", async || {
        (cluster.number(&sql).await == 493).then_some(())
    })
    .await;
    assert_few_lines(&services[1], "a task makes no sense");
    assert_healthy(&cluster).await;
}

/// It is said, and not once per message: ten times a minute at most.
fn assert_few_lines(service: &Process, words: &str) {
    let said = service.said();
    let lines = said.lines().filter(|line| line.contains(words)).count();
    assert!((1..=20).contains(&lines), "{lines} lines of {words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_made_nonsense_by_hand_is_an_invalid_site() {
    let cluster = Cluster::start("row").await;
    let (_services, _) = healthy(&cluster).await;
    for (name, column, nonsense) in [
        ("number", "request", r#"{"method": 5}"#),
        ("unknown", "request", r#"{"metod": "GET"}"#),
        ("status", "expect", r#"{"status": "many"}"#),
        ("huge", "request", r#"{"a": 1e400}"#),
        ("huge-too", "expect", r#"{"max_size": 1e400}"#),
        ("deep", "request", &nested("[", "]", 5_000)),
        ("scheme", "url", "ftp://127.0.0.1/"),
        ("nowhere", "url", "nowhere"),
    ] {
        cluster
            .execute(&format!(
                "INSERT INTO site (name, url, interval_ms, timeout_ms)
                 VALUES ('{name}', 'http://127.0.0.1/', 500, 500);
                 UPDATE site SET {column} = '{nonsense}' WHERE name = '{name}'"
            ))
            .await;
    }
    let sql = "SELECT count(DISTINCT name) FROM check_result JOIN site ON site.id = site_id
               WHERE name NOT LIKE 'healthy-%'
                 AND outcome = 'inconclusive' AND reason = 'invalid_site'";
    eventually(RESULTS, "each such row is an invalid site", async || {
        (cluster.number(sql).await == 8).then_some(())
    })
    .await;
    assert_healthy(&cluster).await;
}

/// A list in a list in a list.
fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

#[tokio::test(flavor = "multi_thread")]
async fn instants_beyond_all_reckoning_in_a_row_hold_up_nobody() {
    let cluster = Cluster::start("instants").await;
    let (_services, _) = healthy(&cluster).await;
    for (n, column, instant) in [
        (1, "check_at", "infinity"),
        (2, "check_at", "-infinity"),
        (3, "scheduled_from", "infinity"),
        (4, "scheduled_from", "-infinity"),
        (5, "check_at", "2100-01-01"),
        (6, "scheduled_from", "9999-12-31"),
    ] {
        let sql = format!("UPDATE site SET {column} = '{instant}' WHERE name = 'healthy-{n}'");
        assert_eq!(cluster.execute(&sql).await, 1);
    }
    assert_healthy(&cluster).await;
    // What the reconciler, and a person who asks, make of it.
    for cutoff in [Cutoff::Expired, Cutoff::Due] {
        reconcile(cluster.connection(), cutoff, Duration::from_hours(24))
            .await
            .unwrap();
    }
    let config = cluster.folder().join("audit.yaml");
    let url = &cluster.settings.database_url;
    std::fs::write(&config, format!("database: {{url: {url:?}}}\n")).unwrap();
    let arguments = ["audit", "--config", config.to_str().unwrap()];
    let audit = Process::run("webmon", arguments, RESULTS).await;
    assert!(audit.stdout.contains("unaccounted"), "{}", audit.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_deleted_is_made_again() {
    let cluster = Cluster::start("deleted").await;
    let (_services, _) = healthy(&cluster).await;
    cluster.topic.delete().await;
    assert_healthy(&cluster).await;
}

/// Healthy sites, and the services that check them; the second is the checker's `http.listen`.
async fn healthy(cluster: &Cluster) -> ([Process; 2], SocketAddr) {
    cluster.add(SITES).await;
    let file = cluster.settings.checker(cluster.folder(), "checker");
    let services = [
        cluster.scheduler("scheduler"),
        file.start("checker", "checker"),
    ];
    assert_healthy(cluster).await;
    (services, file.listen)
}

/// Every healthy site is up, also from now on.
async fn assert_healthy(cluster: &Cluster) {
    let now = cluster.now().await;
    let sql = format!(
        "SELECT count(DISTINCT site_id) FROM check_result JOIN site ON site.id = site_id
         WHERE name LIKE 'healthy-%' AND outcome = 'up'
           AND scheduled_at > to_timestamp({now} / 1000.0)"
    );
    eventually(RESULTS, "every healthy site is up", async || {
        (cluster.number(&sql).await == 20).then_some(())
    })
    .await;
}
