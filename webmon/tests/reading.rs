//! Commands that read only read, and say what is missing. `migration up` and `webmon up` alone change a schema.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tempfile::TempDir;
use testbed::{Database, Finished, Process, Website};

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// Every command that reads, with the program that has it. `FILE` is a sites file.
const READING: &[(&str, &[&str])] = &[
    ("webmon", &["status"]),
    ("webmon", &["export"]),
    ("webmon", &["audit"]),
    ("webmon", &["probe", "--site", "shop"]),
    ("webmon", &["apply", "--dry-run", "FILE"]),
    ("webmon", &["apply", "--dry-run", "--prune", "FILE"]),
    ("scheduler", &["export"]),
    ("scheduler", &["apply", "--dry-run", "FILE"]),
    ("checker", &["probe", "--site", "shop"]),
];
/// Those that write, but make no schema either.
const WRITING: &[(&str, &[&str])] = &[
    ("webmon", &["apply", "FILE"]),
    ("scheduler", &["apply", "FILE"]),
];

/// A configuration for all programs, and a sites file.
struct Desk {
    /// Where they are.
    folder: TempDir,
    /// `--data`.
    data: PathBuf,
}

impl Desk {
    /// With this database; none is configured without an address.
    fn new(url: Option<&str>, sites: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let database = url.map_or_else(String::new, |url| format!("database: {{url: {url:?}}}\n"));
        let kafka = "kafka: {brokers: ['127.0.0.1:9']}\n";
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        file("webmon.yaml", &database);
        file("scheduler.yaml", &format!("{database}{kafka}"));
        let allow = "addresses: {allow: [127.0.0.0/8]}\n";
        file("checker.yaml", &format!("{database}{kafka}{allow}"));
        file("sites.yaml", sites);
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// Runs a command of a program.
    async fn run(&self, program: &str, command: &[&str]) -> Finished {
        let sites = self.folder.path().join("sites.yaml");
        let config = self.folder.path().join(format!("{program}.yaml"));
        let mut arguments: Vec<&Path> = Vec::new();
        for argument in command {
            arguments.push(match *argument {
                "FILE" => &sites,
                argument => Path::new(argument),
            });
        }
        arguments.extend([Path::new("--config"), &config]);
        if program == "webmon" {
            arguments.extend([Path::new("--data"), &self.data]);
        }
        Process::run(program, arguments, COMMAND).await
    }
}

/// All that is in the schema, with the number of writes to it.
async fn schema(db: &DatabaseConnection) -> String {
    let sql =
        "SELECT string_agg(concat_ws(' ', relname, oid, xmin), ', ' ORDER BY oid) FROM pg_class
               WHERE relnamespace = 'public'::regnamespace";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    let text: Option<String> = row.try_get_by_index(0).unwrap();
    text.unwrap_or_default()
}

/// A migrated database with a site that is up.
async fn with_a_site(website: &Website) -> Database {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sql = format!(
        "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('shop', '{}', 60000, 5000),
            ('old', 'http://127.0.0.1:9/', 60000, 5000)",
        website.url("/ok/shop")
    );
    db.execute_unprepared(&sql).await.unwrap();
    database
}

/// One site that is there, and one that is new.
fn sites(website: &Website) -> String {
    let url = website.url("/ok/shop");
    format!("sites:\n- {{name: shop, url: '{url}', timeout: 5s}}\n- {{name: new, url: '{url}'}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_schema_they_say_so_and_make_none() {
    let database = Database::empty().await;
    let db = database.connect().await;
    db.execute_unprepared("CREATE TABLE users (id int)")
        .await
        .unwrap();
    let before = schema(&db).await;
    let desk = Desk::new(Some(database.url()), "sites: []");
    for (program, command) in READING.iter().chain(WRITING) {
        let ended = desk.run(program, command).await;
        assert_eq!(ended.code, 1, "{program} {command:?}: {}", ended.stderr);
        for part in ["missing", store::SCHEMA_VERSION, "run `migration up`"] {
            assert!(
                ended.stderr.contains(part),
                "{part}: {program} {command:?}: {}",
                ended.stderr
            );
        }
        assert_eq!(schema(&db).await, before, "{program} {command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_build_is_named_by_all_of_them() {
    let needed = store::SCHEMA_VERSION;
    let last = "(SELECT max(version) FROM seaql_migrations)";
    for (change, words) in [
        (
            format!("DELETE FROM seaql_migrations WHERE version = {last}"),
            [needed, "run `migration up`"],
        ),
        (
            "INSERT INTO seaql_migrations VALUES ('m9999_from_the_future', 1)".to_owned(),
            [
                "m9999_from_the_future, this build knows only",
                "upgrade webmon",
            ],
        ),
    ] {
        let database = Database::migrated().await;
        let db = database.connect().await;
        db.execute_unprepared(&change).await.unwrap();
        let desk = Desk::new(Some(database.url()), "sites: []");
        for (program, command) in READING.iter().chain(WRITING) {
            let ended = desk.run(program, command).await;
            assert_eq!(ended.code, 1, "{program} {command:?}: {}", ended.stderr);
            for word in words {
                assert!(
                    ended.stderr.contains(word),
                    "{word}: {program} {command:?}: {}",
                    ended.stderr
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_read_is_enough_and_so_is_a_read_only_database() {
    let website = Website::start();
    let database = with_a_site(&website).await;
    let db = database.connect().await;
    let before = schema(&db).await;
    let reader = database.login("IN ROLE pg_read_all_data").await;
    let (_, name) = database.url().rsplit_once('/').unwrap();
    for url in [reader.as_str(), database.url()] {
        let desk = Desk::new(Some(url), &sites(&website));
        for (program, command) in READING {
            let ended = desk.run(program, command).await;
            let said = format!("{program} {command:?}: {}{}", ended.stdout, ended.stderr);
            assert_eq!(ended.code, 0, "{said}");
            if command.contains(&"--dry-run") {
                assert!(
                    ended.stdout.contains("created 1, changed 0, left alone 1"),
                    "{said}"
                );
            }
        }
        let status = Process::run("migration", ["status", "--database-url", url], COMMAND).await;
        assert_eq!(status.code, 0, "{}", status.stderr);
        assert!(!status.stdout.contains("Pending"), "{}", status.stdout);
        assert_eq!(schema(&db).await, before);
        let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        db.execute_unprepared(&read_only).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_foretells_what_the_apply_does() {
    let website = Website::start();
    let database = with_a_site(&website).await;
    let desk = Desk::new(Some(database.url()), &sites(&website));
    let dry = desk
        .run("webmon", &["apply", "--prune", "--dry-run", "FILE"])
        .await;
    let real = desk.run("webmon", &["apply", "--prune", "FILE"]).await;
    assert_eq!(
        (dry.code, real.code),
        (0, 0),
        "{}{}",
        dry.stderr,
        real.stderr
    );
    assert_eq!(
        dry.stdout,
        format!("dry run, nothing was written: {}", real.stdout)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_is_not_there_is_not_made() {
    let desk = Desk::new(None, "sites: []");
    for (program, command) in READING.iter().chain(WRITING) {
        if *program != "webmon" {
            continue; // the others have no data folder
        }
        let ended = desk.run(program, command).await;
        assert_eq!(ended.code, 1, "{command:?}: {}", ended.stderr);
        for part in [desk.data.to_str().unwrap(), "run `webmon up`"] {
            assert!(
                ended.stderr.contains(part),
                "{part}: {command:?}: {}",
                ended.stderr
            );
        }
        assert!(!desk.data.exists(), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_of_migrations_makes_no_table() {
    let database = Database::empty().await;
    let db = database.connect().await;
    let arguments = ["status", "--database-url", database.url()];
    let status = Process::run("migration", arguments, COMMAND).await;
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.contains("Pending"), "{}", status.stdout);
    assert_eq!(schema(&db).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn webmon_up_refuses_the_database_of_another_application() {
    let database = Database::empty().await;
    let db = database.connect().await;
    db.execute_unprepared("CREATE TABLE users (id int)")
        .await
        .unwrap();
    let before = schema(&db).await;
    let desk = Desk::new(Some(database.url()), "sites: []");
    let up = desk.run("webmon", &["up"]).await;
    assert_eq!(up.code, 1, "{}", up.stderr);
    for part in ["table users", "run `migration up --yes`"] {
        assert!(up.stderr.contains(part), "{part}: {}", up.stderr);
    }
    assert_eq!(schema(&db).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migration_program_asks_before_it_loses_anything() {
    let website = Website::start();
    let database = with_a_site(&website).await;
    let (_, name) = database.url().rsplit_once('/').unwrap();
    let run = async |arguments: &[&str]| {
        let url = ["--database-url", database.url()];
        Process::run("migration", [arguments, &url].concat(), COMMAND).await
    };
    for command in ["down", "reset", "refresh", "fresh"] {
        for arguments in [&[command][..], &[command, "--yes", "another"]] {
            let refused = run(arguments).await;
            assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
            assert!(
                refused.stderr.contains(&format!("--yes {name}")),
                "{}",
                refused.stderr
            );
        }
    }
    let db = database.connect().await;
    db.execute_unprepared("CREATE TABLE invoices ()")
        .await
        .unwrap();
    let shared = run(&["fresh", "--yes", name]).await;
    assert_eq!(shared.code, 1, "{}", shared.stderr);
    assert!(
        shared.stderr.contains("table invoices"),
        "{}",
        shared.stderr
    );
    db.execute_unprepared("DROP TABLE invoices").await.unwrap();
    let fresh = run(&["fresh", "--yes", name]).await;
    assert_eq!(fresh.code, 0, "{}", fresh.stderr);
    let sites = "SELECT count(*) FROM site";
    let statement = Statement::from_string(db.get_database_backend(), sites);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_names_the_shards_without_a_row() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let desk = Desk::new(Some(database.url()), "sites: []");
    assert_eq!(desk.run("webmon", &["audit"]).await.code, 0);
    for (lost, named) in [("7", "shard 7,"), ("7, 63", "the shards 7, 63,")] {
        let sql = format!("DELETE FROM schedule_shard WHERE id IN ({lost})");
        db.execute_unprepared(&sql).await.unwrap();
        let audit = desk.run("webmon", &["audit"]).await;
        assert_eq!(audit.code, 1, "{}", audit.stdout);
        for part in [named, "run `webmon repair`"] {
            assert!(audit.stderr.contains(part), "{part}: {}", audit.stderr);
        }
    }
}
