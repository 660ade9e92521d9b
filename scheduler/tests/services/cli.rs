//! The program itself: what it teaches, what it refuses, and how it ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testbed::{ConfigFile, Database, Finished, Process, Settings, Topic};

/// How long a command may take; an unreachable database is waited for.
const COMMAND: Duration = Duration::from_mins(1);

/// A database at the newest schema, and a configuration for it.
struct Setting {
    /// Where files are.
    folder: tempfile::TempDir,
    /// The configuration.
    config: ConfigFile,
    /// The database.
    database: Database,
}

impl Setting {
    /// With a database of its own.
    async fn new() -> Self {
        Self::on(Database::migrated().await)
    }

    /// With this database.
    fn on(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::plain(database.url(), Topic::unique("cli").name());
        Self {
            config: settings.scheduler(folder.path(), "scheduler"),
            folder,
            database,
        }
    }

    /// A file of the test's own.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command with its configuration.
    async fn run(&self, arguments: &[&OsStr]) -> Finished {
        with_config(&self.config.path, arguments).await
    }

    /// Runs `apply`.
    async fn apply(&self, file: &Path) -> Finished {
        self.run(&["apply".as_ref(), file.as_ref()]).await
    }
}

/// Runs a command with a configuration.
async fn with_config(config: &Path, arguments: &[&OsStr]) -> Finished {
    let config = ["--config".as_ref(), config.as_os_str()];
    scheduler(arguments.iter().copied().chain(config)).await
}

/// Runs the program.
async fn scheduler<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Finished {
    Process::run("scheduler", arguments, COMMAND).await
}

#[tokio::test]
async fn help_teaches_every_command() {
    let help = scheduler(["--help".as_ref()]).await;
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    let commands = ["run", "check-config", "healthcheck", "apply", "export"];
    for text in commands.iter().chain(&[
        "--config <FILE>",
        "scheduler/config-example.yaml",
        "Exit codes",
    ]) {
        assert!(help.stdout.contains(text), "{text} in\n{}", help.stdout);
    }
    for command in commands {
        let help = scheduler([command.as_ref(), "--help".as_ref()]).await;
        assert_eq!(help.code, 0, "{command}");
        assert!(
            help.stdout.contains(&format!("scheduler {command}")),
            "{}",
            help.stdout
        );
    }
}

#[tokio::test]
async fn version_and_bad_usage_are_told_apart() {
    let version = scheduler(["--version".as_ref()]).await;
    let expected = format!("scheduler {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.code, version.stdout), (0, expected));
    let usage = scheduler(["fly".as_ref()]).await;
    assert_eq!(usage.code, 2);
    assert!(usage.stderr.contains("fly"), "{}", usage.stderr);
}

#[tokio::test]
async fn check_config_says_whether_the_configuration_is_in_order() {
    let setting = Setting::new().await;
    let good = setting.run(&["check-config".as_ref()]).await;
    let path = setting.config.path.display();
    assert_eq!(
        (good.code, good.stdout),
        (0, format!("{path} is in order\n"))
    );

    let text = std::fs::read_to_string(&setting.config.path).unwrap() + "horizon: 1200ms\n";
    let bad = setting.file("bad.yaml", &text);
    let bad = with_config(&bad, &["check-config".as_ref()]).await;
    assert_eq!((bad.code, bad.stdout.as_str()), (2, ""));
    for part in ["bad.yaml", "horizon", "at least 1s longer than `turn`"] {
        assert!(bad.stderr.contains(part), "{part} in {}", bad.stderr);
    }

    let missing = with_config(Path::new("no/such.yaml"), &["check-config".as_ref()]).await;
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("config-example.yaml"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn a_bad_sites_file_ends_with_2_and_changes_nothing() {
    let setting = Setting::new().await;
    let good = setting.file(
        "good.yaml",
        "sites: [{name: shop, url: 'http://shop.example/'}]",
    );
    assert_eq!(setting.apply(&good).await.code, 0);
    let before = setting.run(&["export".as_ref()]).await.stdout;
    assert!(before.contains("shop.example"), "{before}");

    let bad = setting.file(
        "bad.yaml",
        "sites:\n- {name: shop, url: 'http://other.example/'}\n- {name: bad, url: nowhere}\n",
    );
    let bad = setting.apply(&bad).await;
    assert_eq!((bad.code, bad.stdout.as_str()), (2, ""));
    assert!(bad.stderr.contains("sites[1] bad: url"), "{}", bad.stderr);
    assert_eq!(setting.run(&["export".as_ref()]).await.stdout, before);

    let missing = setting.apply(Path::new("no/sites.yaml")).await;
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("no/sites.yaml"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn an_export_applied_elsewhere_is_the_same_export() {
    let (one, two) = (Setting::new().await, Setting::new().await);
    let sites = one.file(
        "sites.yaml",
        "sites:
- {name: 'a: \"b\" # c', url: 'https://shop.example/?q=1', interval: 5s, timeout: 300ms, labels: {team: web}}
- name: plain
  url: http://plain.example/
  enabled: false
  request: {method: POST, headers: {x-a: '$${TOKEN}'}, body: \"two\\nlines\\n\"}
  expect: {status: [204, 3xx], max_time: 2s, body: [{contains: 'null'}]}
",
    );
    let applied = one.apply(&sites).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let export = one.run(&["export".as_ref()]).await;
    assert_eq!(export.code, 0, "{}", export.stderr);
    let file = two.file("export.yaml", &export.stdout);
    let applied = two.apply(&file).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert_eq!(two.run(&["export".as_ref()]).await.stdout, export.stdout);
    // In its own database it changes nothing.
    let again = one.apply(&file).await;
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("left alone 2"), "{}", again.stdout);
}

#[tokio::test]
async fn an_unreachable_database_is_named_with_its_remedy_and_without_the_password() {
    let setting = Setting::new().await;
    let nobody = testbed::free_address();
    let url = format!("postgres://webmon:s3cr%40t@{nobody}/shop");
    let config = Settings::plain(&url, "webmon.tasks").scheduler(setting.folder.path(), "nobody");
    let export = with_config(&config.path, &["export".as_ref()]).await;
    assert_eq!((export.code, export.stdout.as_str()), (1, ""));
    for part in [
        &nobody.to_string(),
        "check database.url and that the server runs",
    ] {
        assert!(export.stderr.contains(part), "{part} in {}", export.stderr);
    }
    assert!(!export.stderr.contains("s3cr"), "{}", export.stderr);
}

#[tokio::test]
async fn a_database_without_a_schema_asks_for_its_migration() {
    let setting = Setting::on(Database::empty().await);
    let file = setting.file("sites.yaml", "sites: []");
    for command in [
        &["export".as_ref()][..],
        &["apply".as_ref(), file.as_ref()],
        &["run".as_ref()],
    ] {
        let ended = setting.run(command).await;
        assert_eq!(ended.code, 1, "{command:?}");
        assert!(
            ended.stderr.contains("run `migration up`"),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn healthcheck_tells_whether_a_scheduler_is_ready_here() {
    let setting = Setting::new().await;
    let nobody = setting.run(&["healthcheck".as_ref()]).await;
    assert_eq!((nobody.code, nobody.stdout.as_str()), (1, ""));
    let listen = setting.config.listen.to_string();
    assert!(nobody.stderr.contains(&listen), "{}", nobody.stderr);

    let mut running = setting.config.start("scheduler", "scheduler");
    testbed::eventually(COMMAND, "the scheduler is healthy", async || {
        running.assert_running();
        (setting.run(&["healthcheck".as_ref()]).await.code == 0).then_some(())
    })
    .await;
    running.terminate();
    assert_eq!(running.wait(COMMAND).await, 0);
    drop(setting.database.connect().await);
}
