//! Nonsense on the topic and in the tables: it is accounted for, or stepped over, and stops nobody.

use std::net::SocketAddr;
use std::time::Duration;

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
    let (_services, checker) = healthy(&cluster).await;
    let far = cluster.now().await + 3_600_000;
    let far = format!(r#"{{"v":1,"site_id":{STRANGER},"scheduled_at":{far}}}"#);
    let poison: [&[u8]; 8] = [
        b"",
        b"not JSON at all",
        b"\xff\xfe\x00",
        b"[1, 2, 3]",
        br#"{"v":1}"#,
        br#"{"v":2,"site_id":1,"scheduled_at":1}"#,
        br#"{"v":1,"site_id":"1","scheduled_at":1}"#,
        far.as_bytes(),
    ];
    // As many keys, so that every partition gets some.
    for key in 0..16 {
        let key = key.to_string();
        let messages = poison.iter().map(|message| (key.as_str(), *message));
        cluster.topic.produce(messages);
    }
    eventually(RESULTS, "all the poison is counted", async || {
        (metric(checker, "webmon_poison_total").await >= 128.0).then_some(())
    })
    .await;
    assert_healthy(&cluster).await;
    let sql = format!("SELECT count(*) FROM check_result WHERE site_id = {STRANGER}");
    assert_eq!(cluster.number(&sql).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_makes_no_sense_is_an_invalid_site() {
    let cluster = Cluster::start("nonsense").await;
    let (_services, _) = healthy(&cluster).await;
    let now = cluster.now().await;
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
        let message = format!(r#"{{"v":1,"site_id":{STRANGER},"scheduled_at":{at},{rest}}}"#);
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
    assert_healthy(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_made_nonsense_by_hand_is_an_invalid_site() {
    let cluster = Cluster::start("row").await;
    let (_services, _) = healthy(&cluster).await;
    for (name, column, nonsense) in [
        ("number", "request", r#"{"method": 5}"#),
        ("unknown", "request", r#"{"metod": "GET"}"#),
        ("status", "expect", r#"{"status": "many"}"#),
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
        (cluster.number(sql).await == 5).then_some(())
    })
    .await;
    assert_healthy(&cluster).await;
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
