//! A checker with the memory of `compose.yaml` and the settings of `docker/checker.yaml` meets all at once that
//! fills memory: rows made for it, servers made for it, and more tasks than it can hold. It lives, and checks
//! the sites that have done nothing.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use runtime::config::from_yaml;
use sea_orm::JsonValue;
use testbed::{Cluster, Crowd, MemoryGroup, eventually, metric, show, tables};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

/// How long it meets all that.
const HOSTILE_MS: i64 = 30_000;
/// A mebibyte.
const MIB: u64 = 1 << 20;
/// Sites that have done nothing.
const HARMLESS: Crowd = Crowd::new("harmless", "/ok", 1_000, 50);
/// Sites that never answer: they take a quarter of the slots.
const HANGING: Crowd = Crowd::new("hanging", "/slow/600000", 10_000, 2_000);

/// A file of the repository that holds a document of YAML.
fn document(name: &str) -> JsonValue {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let text = fs::read_to_string(&path).expect(name);
    from_yaml(&text).expect(name)
}

/// What `compose.yaml` allows a checker, in bytes.
fn compose_limit() -> u64 {
    let compose = document("compose.yaml");
    let limit = compose.pointer("/services/checker/mem_limit");
    let limit = limit.and_then(JsonValue::as_str).expect("mem_limit");
    limit
        .strip_suffix('m')
        .expect("a limit in MiB")
        .parse::<u64>()
        .unwrap()
        * MIB
}

/// The keys of `docker/checker.yaml` that bound memory.
fn bounds() -> String {
    let config = document("docker/checker.yaml");
    let bounds = ["slots", "body_limit", "body_memory"]
        .into_iter()
        .filter_map(|key| {
            let value = config.get(key)?;
            Some(format!("{key}: {value}\n"))
        });
    bounds.collect()
}

/// A server that sends without end what patterns like to be searched for, to all that connect; its URL.
fn endless() -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(4_096).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let piece: String = ('a'..='ÿ').cycle().take(8_000).collect();
    let piece: &'static str = piece.leak();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                while sent.is_ok() {
                    sent = stream.write_all(piece.as_bytes()).await;
                }
            });
        }
    });
    url
}

/// Adds sites to which SQL gives a name, a `request` and an `expect` each, as expressions of their number `n`.
async fn add(cluster: &Cluster, name: &str, count: u32, url: &str, [request, expect]: [&str; 2]) {
    cluster
        .execute(&format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms, request, expect)
             SELECT '{name}-' || n, '{url}', 40000, 5000, {request}, {expect} FROM generate_series(1, {count}) n"
        ))
        .await;
}

/// Adds rows that were made to fill a checker's memory.
async fn add_hostile(cluster: &Cluster) {
    let hanging = cluster.website.url("/slow/600000");
    let endless = endless();
    let rules = |pattern: &str, count: u32| {
        format!(
            "jsonb_build_object('body', (SELECT jsonb_agg(jsonb_build_object('matches', {pattern}))
             FROM generate_series(1, {count}) m))"
        )
    };
    let many = rules(r"n || 'x' || m || '\w{20}'", 32);
    add(cluster, "many-patterns", 200, &endless, ["'{}'", &many]).await;
    let large = rules(r"n || '-' || m || '\w{20}'", 1);
    add(cluster, "large-patterns", 200, &endless, ["'{}'", &large]).await;
    let ordinary = rules(r"'(?i)\b' || n || 'störung\b' || m", 32);
    add(
        cluster,
        "ordinary-patterns",
        500,
        &endless,
        ["'{}'", &ordinary],
    )
    .await;
    let long = "jsonb_build_object('body', jsonb_build_array(jsonb_build_object('contains', n || repeat('x', 60000))))";
    let body = "jsonb_build_object('body', n || repeat('x', 60000))";
    let headers =
        "jsonb_build_object('headers', (SELECT jsonb_object_agg('X-' || m, repeat('x', 7000))
                   FROM generate_series(1, 8) m))";
    add(cluster, "long-expect", 300, &endless, ["'{}'", long]).await;
    add(cluster, "long-both", 300, &hanging, [body, long]).await;
    add(cluster, "long-headers", 300, &hanging, [headers, long]).await;
    let values =
        "jsonb_build_object('status', (SELECT jsonb_agg(200) FROM generate_series(1, 12000)))";
    add(cluster, "many-values", 200, &endless, ["'{}'", values]).await;
    let deep = "(repeat('[', 5000) || repeat(']', 5000))::jsonb";
    add(cluster, "deep", 100, &endless, ["'{}'", deep]).await;
}

/// Sends more tasks than a checker can hold, all due at that instant.
async fn fill_the_hold(cluster: &Cluster, due: i64) {
    let installation = tables::installation(cluster.connection()).await;
    let (expires, blanks) = (due + 60_000, " ".repeat(60_000));
    let url = cluster.website.url("/ok/held");
    let tasks = (1..1_600).map(|n| {
        let task = format!(
            r#"{{"v":1,"installation":"{installation}","site_id":-{n},"name":"held","scheduled_at":{due},"expires_at":{expires},"url":"{url}","timeout_ms":10000,"request":{{{blanks}}},"expect":{{}}}}"#
        );
        (n.to_string(), task)
    });
    let tasks: Vec<_> = tasks.collect();
    let messages = tasks
        .iter()
        .map(|(key, task)| (key.as_str(), task.as_bytes()));
    cluster.topic.produce(messages);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checker_survives_hostile_rows_and_servers_and_a_full_hold_in_the_memory_of_compose() {
    let limit = compose_limit();
    let group = MemoryGroup::with_limit(limit);
    let mut cluster = Cluster::start("hostile").await;
    cluster.settings.checker = bounds();
    cluster.add(&[HARMLESS]).await;
    let mut scheduler = cluster.scheduler("scheduler");
    let (mut checker, listen) = cluster.checker_in(group.as_ref(), "checker");
    eventually(Duration::from_secs(30), "a check is made", async || {
        let made = "SELECT count(started_at) FROM check_result";
        (cluster.number(made).await > 0).then_some(())
    })
    .await;
    add_hostile(&cluster).await;
    cluster.add(&[HANGING]).await;
    let until = cluster.now().await + HOSTILE_MS;
    fill_the_hold(&cluster, until - HOSTILE_MS / 2).await;
    let (mut most_held, mut most_own) = (0.0_f64, 0);
    eventually(Duration::from_mins(3), "the time is over", async || {
        checker.assert_running();
        most_held = most_held.max(metric(listen, "webmon_hold_bytes").await);
        most_own = most_own.max(checker.own_mib());
        (cluster.now().await > until).then_some(())
    })
    .await;
    let count = |what: &str| {
        format!("SELECT count(*) FROM check_result JOIN site ON site.id = site_id WHERE {what}")
    };
    let harmless = "name LIKE 'harmless-%' AND";
    let up = cluster
        .number(&count(&format!("{harmless} outcome = 'up'")))
        .await;
    let down = cluster
        .number(&count(&format!("{harmless} outcome = 'down'")))
        .await;
    let refused = cluster
        .number(&count("name LIKE 'many-%' AND reason = 'invalid_site'"))
        .await;
    let judged = cluster
        .number(&count("name LIKE 'many-%' AND outcome IN ('up', 'down')"))
        .await;
    let peak = group.as_ref().map_or(0, MemoryGroup::peak_mib);
    show(format_args!(
        "{most_own} MiB of its own, {peak} MiB in its group, {most_held} bytes held; harmless sites: {up} up, {down} down; \
         {refused} rows refused"
    ));
    checker.assert_running();
    scheduler.assert_running();
    assert_eq!(group.as_ref().map_or(0, MemoryGroup::kills), 0);
    assert!(most_own * MIB < limit, "{most_own} MiB of its own");
    assert!(
        most_held >= 60_000_000.0,
        "the hold was not full: {most_held}"
    );
    assert!(up > 50 && down == 0, "{up} up, {down} down");
    assert!(
        refused > 0 && judged == 0,
        "{refused} refused, {judged} judged"
    );
}
