//! SIGHUP to a service: it reads its configuration again, goes on, and names what needs a restart.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::fs;
use std::time::Duration;

use testbed::{Cluster, ConfigFile, Process, Settings, eventually, free_address};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a checker's file begins with here: no site can be dialled, and none gets the secret.
const CLOSED: &str = "addresses: {allow: []}";
/// The same, and everything is possible.
const OPEN: &str = "addresses: {allow: [127.0.0.0/8]}";
/// A secret that is bound to no origin of these tests.
const BOUND: &str = "secrets: {strict: true, hosts: {KEY: ['https://shop.example']}}\n";

/// A service whose file changes while it runs.
struct Service {
    /// The file.
    file: ConfigFile,
    /// The service.
    process: Process,
}

impl Service {
    /// Starts it.
    fn start(program: &str, file: ConfigFile) -> Self {
        let process = file.start(program, program);
        Self { file, process }
    }

    /// Replaces parts of the file.
    fn write(&self, changes: &[(&str, &str)]) {
        rewrite(&self.file, changes);
    }

    /// The same, and has it read.
    fn reload(&self, changes: &[(&str, &str)]) {
        self.write(changes);
        self.process.hang_up();
    }

    /// Waits for a line of its log.
    async fn says(&mut self, text: &str) -> String {
        self.process.line_seen(text, PATIENCE).await
    }

    /// Stops it.
    async fn stop(mut self) {
        self.process.terminate();
        assert_eq!(self.process.wait(PATIENCE).await, 0);
    }
}

/// Replaces parts of a file, each of which is there.
fn rewrite(file: &ConfigFile, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(&file.path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&file.path, text).unwrap();
}

/// A cluster whose only checker can dial nothing, with two sites: the one needs its address, the other a secret
/// as well.
async fn closed(purpose: &str) -> (Cluster, Service) {
    let mut cluster = Cluster::start(purpose).await;
    cluster.settings.checker = format!("{BOUND}slots: 32\n");
    let file = cluster.settings.checker(cluster.folder(), "checker");
    let dir = cluster.folder().join("keys");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("KEY"), "hunter2").unwrap();
    let here = format!("secrets: {{dir: '{}', ", dir.display());
    rewrite(&file, &[(OPEN, CLOSED), ("secrets: {", &here)]);
    let url = cluster.website.url("/ok/x");
    let sites = format!(
        "sites:\n  - {{name: plain, url: '{url}', interval: 500ms}}\n  \
         - {{name: secret, url: '{url}', interval: 500ms, request: {{bearer: '${{secret:KEY}}'}}}}\n"
    );
    assert_eq!(cluster.apply(&sites).await.code, 0);
    (cluster, Service::start("checker", file))
}

/// Waits until a site has a result of this reason, none for `up`.
async fn judged(cluster: &Cluster, site: &str, reason: &str) {
    let sql = format!(
        "SELECT count(*) FROM check_result r JOIN site s ON s.id = r.site_id
         WHERE s.name = '{site}' AND coalesce(r.reason::text, '') = '{reason}'"
    );
    eventually(PATIENCE, &format!("{site} is {reason:?}"), async || {
        (cluster.number(&sql).await > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_secrets_slots_and_filter_change_without_a_restart_and_no_check_is_lost() {
    let (cluster, mut checker) = closed("reload").await;
    let scheduler = cluster.scheduler("scheduler");
    judged(&cluster, "plain", "address_refused").await;
    judged(&cluster, "secret", "secret_missing").await;
    let website = cluster.website.url("");
    checker.reload(&[
        (CLOSED, OPEN),
        ("https://shop.example", &website),
        ("slots: 32", "slots: 64"),
        ("filter: info", "filter: 'info,checker=debug'"),
    ]);
    let changed = checker.says("the configuration has changed").await;
    for key in ["addresses.allow", "secrets.hosts", "slots", "log.filter"] {
        assert!(changed.contains(key), "{key}: {changed}");
    }
    judged(&cluster, "plain", "").await;
    judged(&cluster, "secret", "").await;
    let said = checker.process.said();
    // the sum of all bounds depends on the slots, so it is said again
    assert_eq!(said.matches("memory is bounded").count(), 2, "{said}");
    assert!(!said.contains("needs a restart"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");

    let until = cluster.now().await;
    let report = cluster.audit(until).await;
    report.assert_clean();
    assert_eq!((report.in_gaps, report.rows("missed")), (0, 0), "{report}");
    drop(scheduler);
    checker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_faults_changes_nothing_and_each_fault_is_told() {
    let (cluster, mut checker) = closed("reload-fault").await;
    let _scheduler = cluster.scheduler("scheduler");
    judged(&cluster, "plain", "address_refused").await;
    checker.reload(&[
        (CLOSED, OPEN),
        ("slots: 32", "slots: 33"),
        ("filter: info", "filter: inof"),
        ("strict: true", "strict: perhaps"),
    ]);
    for fault in [
        "slots: must be a multiple of 32",
        "log.filter: must be",
        "secrets.strict: must be",
    ] {
        let line = checker.says(fault).await;
        assert!(line.contains("the one before stays in force"), "{line}");
    }
    fs::remove_file(&checker.file.path).unwrap();
    checker.process.hang_up();
    checker.says("no such file").await;
    // what was right in the file was not taken over either
    let after = cluster.now().await + 1_000;
    let report = cluster.audit(after).await;
    report.assert_clean();
    assert_eq!(report.rows("up"), 0, "{report}");
    checker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_restart_is_named_in_one_line_and_the_rest_changes() {
    let (cluster, mut checker) = closed("reload-restart").await;
    let scheduler = cluster.settings.scheduler(cluster.folder(), "scheduler");
    let mut scheduler = Service::start("scheduler", scheduler);
    judged(&cluster, "plain", "address_refused").await;
    let listen = |service: &Service| service.file.listen.to_string();
    let elsewhere = free_address().to_string();
    checker.reload(&[
        (
            CLOSED,
            "addresses: {allow: [127.0.0.0/8]}\ndrain: 9s\nbody_limit: 2KiB",
        ),
        ("topic: ", "topic: other-"),
        (&listen(&checker), &elsewhere),
    ]);
    checker
        .says("needs a restart: kafka.topic, http.listen, drain, body_limit")
        .await;
    judged(&cluster, "plain", "").await;
    scheduler.reload(&[
        ("http: ", "horizon: 3s\nretention: 2d\nhttp: "),
        ("filter: info", "filter: debug"),
    ]);
    scheduler.says("needs a restart: horizon, retention").await;
    let changed = scheduler.says("the configuration has changed").await;
    assert!(changed.contains("log.filter"), "{changed}");
    scheduler.says("DEBUG").await;
    // as it was: nothing is left to be named
    scheduler.reload(&[("horizon: 3s\nretention: 2d\n", "")]);
    scheduler.says("nothing has changed").await;
    scheduler.stop().await;
    checker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_at_the_start_or_during_the_stop_ends_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let nowhere = format!("postgres://webmon@{}/webmon", free_address());
    let settings = Settings::plain(&nowhere, "webmon.test.never");
    for (program, config) in [
        ("scheduler", settings.scheduler(folder.path(), "scheduler")),
        ("checker", settings.checker(folder.path(), "checker")),
    ] {
        let mut service = Service::start(program, config);
        service.says("does not answer").await;
        service.process.hang_up();
        service.process.terminate();
        service.process.hang_up();
        assert_eq!(service.process.wait(PATIENCE).await, 0, "{program}");
    }
}
