//! A secret of a site is nowhere but in the requests to that site.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::time::Duration;

use sea_orm::{FromQueryResult as _, JsonValue, Statement};
use testbed::{Cluster, Process, eventually};

/// How long the first results may take, from the start of the services.
const FIRST_RESULTS: Duration = Duration::from_secs(30);
/// How long a service may take to end, and a command.
const ENDING: Duration = Duration::from_secs(30);
/// The secret, and what HTTP makes of it: the base64 of `monitor:` with it behind.
const SECRET: [&str; 2] = [
    "k33p-th1s-t0-y0urself",
    "bW9uaXRvcjprMzNwLXRoMXMtdDAteTB1cnNlbGY=",
];
/// Sites whose answers repeat what they were told, and whose expectations quote the answers.
const SITES: &str = r#"
sites:
  - name: header
    url: http://WEBSITE/echo/header
    interval: 500ms
    request: {headers: {x-say: "key ${secret:API_KEY}"}}
    expect: {headers: {x-echo: {equals: nothing}}}
  - name: basic
    url: http://WEBSITE/echo/basic
    interval: 500ms
    request: {basic: {username: monitor, password: "${secret:API_KEY}"}}
    expect: {body: [{not_matches: "(?i)authorization: basic bW9uaXRvcjprM"}]}
  - name: json
    url: http://WEBSITE/echo/json
    interval: 500ms
    request: {bearer: "${secret:API_KEY}"}
    expect: {json: [{path: $.ok, equals: true}]}
  - name: up
    url: http://WEBSITE/echo/up
    interval: 500ms
    request: {headers: {x-say: "${secret:API_KEY}"}}
    expect: {headers: {x-echo: {matches: "^k33p-"}}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_a_secret_is_in_no_log_no_result_and_no_message() {
    let mut cluster = Cluster::start("secrets").await;
    std::fs::write(cluster.folder().join("API_KEY"), format!("{}\n", SECRET[0])).unwrap();
    cluster.settings.filter = "trace";
    cluster.settings.checker = format!("secrets: {{dir: {:?}}}\n", cluster.folder());
    let website = cluster.website.url("");
    let sites = SITES.replace("WEBSITE", website.trim_start_matches("http://"));
    assert_eq!(cluster.apply(&sites).await.code, 0);
    let mut services = [cluster.checker("checker"), cluster.scheduler("scheduler")];
    let sql =
        "SELECT count(DISTINCT (site_id, reason)) FROM check_result WHERE started_at IS NOT NULL";
    eventually(FIRST_RESULTS, "every site is checked", async || {
        (cluster.number(sql).await >= 4).then_some(())
    })
    .await;
    let config = cluster.settings.checker(cluster.folder(), "probe");
    let config = config.path.to_str().unwrap();
    let arguments = ["probe", "--site", "header", "--json", "--config", config];
    let probe = Process::run("checker", arguments, ENDING).await;
    assert_eq!(probe.code, 1, "{}", probe.stderr);
    for service in &mut services {
        service.terminate();
        assert_eq!(service.wait(ENDING).await, 0);
    }

    let rows = rows(&cluster, "SELECT to_jsonb(r) AS row FROM check_result r").await;
    // the secret was sent, or nothing here could have shown it
    let arrived = r#"header x-echo is not \"nothing\"; it is \"key ${secret:API_KEY}\""#;
    assert!(rows.contains(arrived), "{rows}");
    let up = "SELECT count(*) FROM check_result r JOIN site s ON s.id = r.site_id \
              WHERE s.name = 'up' AND outcome = 'up'";
    assert!(cluster.number(up).await > 0, "{rows}");
    let messages = cluster.topic.messages();
    assert!(messages.len() >= 4);
    let messages: Vec<_> = messages
        .iter()
        .map(|m| String::from_utf8_lossy(m))
        .collect();
    let sites = self::rows(&cluster, "SELECT to_jsonb(s) AS row FROM site s").await;
    let [checker, scheduler] = &services;
    assert!(
        checker.said().contains("TRACE"),
        "the checker logs at trace"
    );
    for (place, text) in [
        ("the checker's log", checker.said()),
        ("the scheduler's log", scheduler.said()),
        ("check_result", rows),
        ("site", sites),
        ("Kafka", messages.concat()),
        ("checker probe", probe.stdout + &probe.stderr),
    ] {
        for value in SECRET {
            let line = text.lines().find(|line| line.contains(value));
            assert_eq!(line, None, "{place} shows the secret");
        }
    }
}

/// All rows of a query, one to a line.
async fn rows(cluster: &Cluster, sql: &str) -> String {
    let connection = cluster.connection();
    let backend = sea_orm::DbBackend::Postgres;
    let rows = JsonValue::find_by_statement(Statement::from_string(backend, sql));
    let rows = rows.all(connection).await.unwrap();
    let lines: Vec<_> = rows.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
