//! The program: its commands, its exit codes, what it says when something is not there.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use testbed::{ConfigFile, Database, Finished, Process, Settings, Topic, free_address};

/// Longer than the 30 s that a service waits for what does not answer.
const PATIENCE: Duration = Duration::from_secs(50);

/// Runs the program to its end.
async fn checker<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Finished {
    Process::run("checker", arguments, PATIENCE).await
}

/// A configuration in a folder of the test's own.
fn config(folder: &TempDir, database_url: &str) -> ConfigFile {
    let topic = Topic::unique("cli");
    Settings::plain(database_url, topic.name()).checker(folder.path(), "checker")
}

/// Asks whether a file is in order.
async fn check_config(file: &Path) -> Finished {
    checker([
        "check-config".as_ref(),
        "--config".as_ref(),
        file.as_os_str(),
    ])
    .await
}

#[tokio::test]
async fn the_help_teaches_every_command() {
    let help = checker(["--help"]).await;
    assert_eq!(help.code, 0, "{}", help.stderr);
    for taught in [
        "run",
        "check-config",
        "healthcheck",
        "--config",
        "checker/config-example.yaml",
        "SIGTERM",
        "Exit codes",
    ] {
        assert!(help.stdout.contains(taught), "{taught}:\n{}", help.stdout);
    }
}

#[tokio::test]
async fn the_version_is_said() {
    let version = checker(["--version"]).await;
    assert_eq!(version.code, 0);
    let expected = format!("checker {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.stdout, expected);
}

#[tokio::test]
async fn bad_usage_is_2() {
    assert_eq!(checker(["fly"]).await.code, 2);
    assert_eq!(checker::<&str>([]).await.code, 2);
}

#[tokio::test]
async fn check_config_says_by_its_code_whether_the_file_is_in_order() {
    let folder = TempDir::new().unwrap();
    let good = config(&folder, "postgres://127.0.0.1:1/none");
    let said = check_config(&good.path).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("is in order"), "{}", said.stdout);

    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, "slots: 33\n").unwrap();
    let said = check_config(&bad).await;
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("slots"), "{}", said.stderr);

    let said = check_config(&folder.path().join("none.yaml")).await;
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("no such file"), "{}", said.stderr);
}

#[tokio::test]
async fn check_config_tells_of_secrets_that_any_site_can_send_anywhere() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("secrets");
    std::fs::create_dir_all(dir.join("site")).unwrap();
    for name in ["BOUND", "FREE"] {
        std::fs::write(dir.join(name), "hunter2").unwrap();
    }
    for (strict, code) in [(false, 0), (true, 2)] {
        let mut settings = Settings::plain("postgres://127.0.0.1:1/none", "none");
        settings.checker = format!(
            "secrets: {{dir: {dir:?}, strict: {strict}, hosts: {{BOUND: ['https://shop.example']}}}}\n"
        );
        let said = check_config(&settings.checker(folder.path(), "checker").path).await;
        assert_eq!(said.code, code, "{}", said.stderr);
        assert!(
            said.stderr.contains("secrets.hosts.FREE: missing: "),
            "{}",
            said.stderr
        );
        assert!(!said.stderr.contains("BOUND"), "{}", said.stderr);
        assert_eq!(
            said.stderr.starts_with("warning: "),
            !strict,
            "{}",
            said.stderr
        );
        assert_eq!(said.stdout.contains("is in order"), !strict);
    }
}

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used_without_a_word() {
    let folder = TempDir::new().unwrap();
    let file = config(&folder, "postgres://127.0.0.1:1/none").path;
    let config = ["--config".as_ref(), file.as_os_str()];
    let nowhere: [&OsStr; 2] = ["probe".as_ref(), "http://127.0.0.1:1/".as_ref()];
    let check: [&OsStr; 1] = ["check-config".as_ref()];
    let proxies = [
        ("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1"),
        ("http_proxy", "http://me:hunter2@127.0.0.1:1"),
        ("all_proxy", ""),
    ];
    for (command, code) in [(&nowhere[..], 1), (&check, 0)] {
        let arguments = || command.iter().copied().chain(config);
        let said = Process::run_with("checker", arguments(), &proxies, PATIENCE).await;
        assert_eq!(said.code, code, "{}", said.stderr);
        let warnings = said.stderr.matches("the environment names a proxy").count();
        assert_eq!(warnings, 1, "{}", said.stderr);
        let named = said.stderr.contains("HTTPS_PROXY, http_proxy");
        assert!(
            named && said.stderr.contains("request.proxy"),
            "{}",
            said.stderr
        );
        assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
        let said = checker(arguments()).await;
        assert!(!said.stderr.contains("proxy"), "{}", said.stderr);
    }
}

#[tokio::test]
async fn a_checker_that_does_not_run_is_not_healthy() {
    let folder = TempDir::new().unwrap();
    let file = config(&folder, "postgres://127.0.0.1:1/none").path;
    let said = checker([
        "healthcheck".as_ref(),
        "--config".as_ref(),
        file.as_os_str(),
    ])
    .await;
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("no answer"), "{}", said.stderr);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_1_after_half_a_minute() {
    let folder = TempDir::new().unwrap();
    let url = format!("postgres://nobody:s3cret@{}/none", free_address());
    let said = checker(config(&folder, &url).run()).await;
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("within 30s"), "{}", said.stderr);
    assert!(!said.stderr.contains("s3cret"), "{}", said.stderr);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_1_after_half_a_minute() {
    let folder = TempDir::new().unwrap();
    let database = Database::migrated().await;
    let mut settings = Settings::plain(database.url(), Topic::unique("cli").name());
    settings.brokers = free_address().to_string();
    let said = checker(settings.checker(folder.path(), "checker").run()).await;
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("cannot reach Kafka"),
        "{}",
        said.stderr
    );
}

#[tokio::test]
async fn a_missing_schema_is_1_and_names_the_remedy() {
    let folder = TempDir::new().unwrap();
    let database = Database::empty().await;
    let said = checker(config(&folder, database.url()).run()).await;
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("migration up"), "{}", said.stderr);
}
