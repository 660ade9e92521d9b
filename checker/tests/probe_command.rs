//! `checker probe`: one check now, for people and for machines.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Database, Finished, Process, Settings, Website};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `checker probe` with a configuration.
async fn probe(config: &Path, arguments: &[&str]) -> Finished {
    let fixed = ["probe".as_ref(), "--config".as_ref(), config.as_os_str()];
    let arguments = arguments.iter().map(|argument| OsStr::new(*argument));
    Process::run("checker", fixed.into_iter().chain(arguments), PATIENCE).await
}

/// The report as it was printed.
fn json(finished: &Finished) -> Value {
    assert_eq!(finished.stderr, "");
    serde_json::from_str(&finished.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_up_is_shown_as_a_waterfall_and_exits_with_0() {
    let (folder, website) = (TempDir::new().unwrap(), Website::start());
    let config = Settings::plain("postgres://nowhere/none", "none").checker(folder.path(), "c");
    let url = website.url("/slow/100/x");
    let shown = probe(&config.path, &[&url]).await;
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let lines: Vec<_> = shown.stdout.lines().collect();
    assert_eq!(lines[0], format!("1  GET {url} → 200"));
    assert_eq!(lines[1], "   127.0.0.1");
    for (line, phase) in lines[2..6]
        .iter()
        .zip(["dns", "connect", "wait", "receive"])
    {
        assert!(line.starts_with(&format!("   {phase:<8} ")), "{line}");
        assert!(line.contains('█') && line.ends_with(" ms"), "{line}");
    }
    let bar = |line: &str| line.chars().filter(|c| *c == '█').count();
    assert!(
        bar(lines[4]) > 40,
        "the site was waited for:\n{}",
        shown.stdout
    );
    assert!(lines[6].starts_with("verdict  up after 1"), "{}", lines[6]);
    assert!(
        lines[7].starts_with("curl     curl ") && lines[7].ends_with(&url),
        "{}",
        lines[7]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_down_exits_with_1_and_says_why() {
    let (folder, website) = (TempDir::new().unwrap(), Website::start());
    let config = Settings::plain("postgres://nowhere/none", "none").checker(folder.path(), "c");
    let shown = probe(&config.path, &[&website.url("/fail/x")]).await;
    assert_eq!(shown.code, 1);
    assert_eq!(shown.stderr, "");
    let said = "\n         expect: status 500, expected 2xx\n";
    assert!(
        shown.stdout.contains("verdict  down (status) after "),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains(said), "{}", shown.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_one_object_whose_phases_add_up() {
    let (folder, website) = (TempDir::new().unwrap(), Website::start());
    let config = Settings::plain("postgres://nowhere/none", "none").checker(folder.path(), "c");
    let url = website.url("/ok/x");
    let shown = json(&probe(&config.path, &["--json", &url]).await);
    assert_eq!(shown["outcome"], "up");
    assert_eq!(shown["reason"], Value::Null);
    assert_eq!(shown["status"], 200);
    assert_eq!(shown["address"], "127.0.0.1");
    assert_eq!(shown["hops"][0]["url"], url);
    let us = |phase: &str| shown["phases"][phase].as_u64().unwrap();
    let parts = us("dns_us") + us("connect_us") + us("wait_us") + us("receive_us");
    assert!(
        us("total_us") - parts <= 2_000.max(us("total_us") / 20),
        "{shown}"
    );
    assert_eq!(shown["phases"]["tls_us"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_site_is_checked_as_its_row_says() {
    let (folder, website) = (TempDir::new().unwrap(), Website::start());
    let database = Database::migrated().await;
    let config = Settings::plain(database.url(), "none").checker(folder.path(), "c");
    let url = website.url("/fail/x");
    let insert = format!(
        "INSERT INTO site (name, url, interval_ms, timeout_ms, request, expect) \
         VALUES ('shop', '{url}', 60000, 2000, '{{\"method\": \"PUT\"}}', '{{\"status\": [500]}}'),
                ('odd', '{url}', 60000, 2000, '{{\"metod\": \"PUT\"}}', '{{}}')"
    );
    database
        .connect()
        .await
        .execute_unprepared(&insert)
        .await
        .unwrap();
    let shown = probe(&config.path, &["--json", "--site", "shop"]).await;
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    let shown = json(&shown);
    assert_eq!(
        (&shown["name"], &shown["hops"][0]["method"]),
        (&"shop".into(), &"PUT".into())
    );
    assert!(
        shown["curl"].as_str().unwrap().contains(" --max-time 2 "),
        "{shown}"
    );
    let odd = probe(&config.path, &["--site", "odd"]).await;
    assert_eq!(odd.code, 1);
    assert!(
        odd.stdout.contains("verdict  inconclusive (invalid_site)"),
        "{}",
        odd.stdout
    );
    let none = probe(&config.path, &["--site", "none"]).await;
    assert_eq!(none.code, 2);
    assert!(
        none.stderr.contains("there is no site named \"none\""),
        "{}",
        none.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_needs_no_configuration_and_only_public_addresses_are_probed_without_one() {
    let shown = probe(Path::new("no/such.yaml"), &["http://127.0.0.1:9/"]).await;
    assert_eq!(shown.code, 1, "{}", shown.stderr);
    let said = "verdict  inconclusive (address_refused)";
    assert!(shown.stdout.contains(said), "{}", shown.stdout);
    let named = probe(Path::new("no/such.yaml"), &["--site", "shop"]).await;
    assert_eq!(named.code, 2);
    assert!(named.stderr.contains("no such file"), "{}", named.stderr);
}

#[tokio::test]
async fn bad_usage_is_2() {
    let file = Path::new("no/such.yaml");
    for (arguments, said) in [
        (&[][..], "URL"),
        (
            &["http://a.example/", "--site", "shop"],
            "cannot be used with",
        ),
        (&["shop.example"], "write https://host/path"),
        (&["ftp://shop.example"], "use http or https"),
    ] {
        let finished = probe(file, arguments).await;
        assert_eq!(finished.code, 2, "{arguments:?}: {}", finished.stdout);
        assert!(
            finished.stderr.contains(said),
            "{arguments:?}: {}",
            finished.stderr
        );
    }
}
