//! `webmon repair`: what can be computed is put back, and afterwards the ledger balances.

#[expect(dead_code, reason = "not all of it is needed here")]
mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use testbed::{Crowd, Database, Finished, Process, Website, eventually, sites_file, tables};

use support::Standalone;

/// How long a command may take.
const COMMAND: Duration = Duration::from_mins(1);
/// Sites that are checked often.
const FEW: &[Crowd] = &[Crowd::new("half-second", "/ok", 500, 100)];

/// What takes from a database what it should have: rows, indexes, constraints, triggers and functions, a day, the
/// attachment of another, and the validity of two indexes.
const DAMAGE: &str = "
    DELETE FROM schedule_shard WHERE id IN (7, 63);
    DELETE FROM installation;
    DROP INDEX site_due;
    ALTER TABLE schedule_gap DROP CONSTRAINT schedule_gap_pkey;
    ALTER TABLE site DROP CONSTRAINT site_timeout_ms_range;
    DROP TRIGGER site_changed ON site;
    CREATE OR REPLACE FUNCTION webmon_site_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    DROP FUNCTION webmon_make_day(date);
    DO $$
    DECLARE first text; last text;
    BEGIN
        SELECT min(inhrelid::regclass::text), max(inhrelid::regclass::text) INTO first, last
        FROM pg_inherits WHERE inhparent = 'check_result'::regclass;
        EXECUTE format('DROP TABLE %s', last);
        EXECUTE format('ALTER TABLE check_result DETACH PARTITION %s', first);
    END $$;
    CREATE INDEX site_url ON site (url);
    CREATE INDEX site_name_ccnew ON site (name);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('site_url'::regclass, 'site_name_ccnew'::regclass)";

/// What is said of that.
const REPAIRS: [&str; 13] = [
    "add row 7 of schedule_shard",
    "add row 63 of schedule_shard",
    "give the database a new identity",
    "create the index site_due of site",
    "add the constraint schedule_gap_pkey of schedule_gap",
    "add the constraint site_timeout_ms_range of site",
    "create the trigger site_changed of site",
    "restore the function webmon_site_changed()",
    "restore the function webmon_make_day(",
    "make the day ",
    "attach check_result_",
    "write anew the invalid index site_url",
    "remove the rest of an interrupted index site_name_ccnew",
];

/// Runs `webmon repair`.
async fn repair(config: &Path, more: &[&str]) -> Finished {
    let arguments: [&OsStr; 3] = ["repair".as_ref(), "--config".as_ref(), config.as_os_str()];
    let more = more.iter().map(OsStr::new);
    let arguments = arguments.into_iter().chain(more).collect::<Vec<_>>();
    Process::run("webmon", arguments, COMMAND).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_computed_is_put_back_and_a_dry_run_changes_nothing() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config.yaml");
    std::fs::write(
        &config,
        format!("database: {{url: \"{}\"}}\n", database.url()),
    )
    .unwrap();
    let sites = "INSERT INTO site (name, url, interval_ms, timeout_ms)
        SELECT 'site ' || n, 'http://127.0.0.1/', 60000, 1000 FROM generate_series(1, 1000) AS n";
    connection.execute_unprepared(sites).await.unwrap();
    // A new database lacks its first days, which a scheduler makes.
    assert_eq!(repair(&config, &[]).await.code, 0);
    let nothing = repair(&config, &[]).await;
    assert_eq!(nothing.stdout, "nothing to repair\n", "{}", nothing.stderr);

    connection.execute_unprepared(DAMAGE).await.unwrap();
    let would = repair(&config, &["--dry-run"]).await;
    assert_eq!(would.code, 0, "{}{}", would.stdout, would.stderr);
    let again = repair(&config, &["--dry-run"]).await;
    let count = |said: &Finished| said.stdout.lines().count();
    assert_eq!(
        (count(&would), count(&again)),
        (REPAIRS.len(), REPAIRS.len())
    );
    let done = repair(&config, &[]).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    for words in REPAIRS {
        assert!(
            would.stdout.contains(&format!("would {words}")),
            "{words}: {}",
            would.stdout
        );
        assert!(
            done.stdout.contains(&format!("repaired: {words}")),
            "{words}: {}",
            done.stdout
        );
    }
    let nothing = repair(&config, &[]).await;
    assert_eq!(nothing.stdout, "nothing to repair\n", "{}", nothing.stderr);
    assert_eq!(
        tables::number(&connection, "SELECT count(*) FROM site").await,
        1_000
    );
    let callable = "SELECT count(*) FROM information_schema.routine_privileges
        WHERE routine_name = 'webmon_make_day' AND grantee = 'PUBLIC'";
    assert_eq!(tables::number(&connection, callable).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_computed_is_named_and_is_a_failure() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config.yaml");
    std::fs::write(
        &config,
        format!("database: {{url: \"{}\"}}\n", database.url()),
    )
    .unwrap();
    let damage =
        "ALTER TABLE site DROP COLUMN labels; INSERT INTO site (name, url, interval_ms, timeout_ms)
        SELECT 'site', 'http://127.0.0.1/', 60000, 1000;
        ALTER TABLE site DROP CONSTRAINT site_timeout_ms_range; UPDATE site SET timeout_ms = 70000";
    connection.execute_unprepared(damage).await.unwrap();
    let done = repair(&config, &[]).await;
    assert_eq!(done.code, 1, "{}{}", done.stdout, done.stderr);
    for words in [
        "put back the column labels of site",
        "add the constraint site_timeout_ms_range of site: ",
    ] {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    assert!(
        done.stdout.contains("repaired: make the day"),
        "{}",
        done.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_lost_their_rows_are_scheduled_again_and_the_ledger_balances() {
    let website = Website::start();
    let standalone = Standalone::with(&sites_file(FEW, &website));
    let mut up = standalone.up("webmon").await;
    let database = standalone.connect().await;
    let start = tables::now(&database).await;
    tables::scheduled_until(&database, start + 3_000).await;
    database
        .execute_unprepared("DELETE FROM schedule_shard")
        .await
        .unwrap();
    let lost = tables::now(&database).await;
    eventually(COMMAND, "the shards were missing for a while", async || {
        (tables::now(&database).await > lost + 6_000).then_some(())
    })
    .await;
    let arguments: [&OsStr; 3] = [
        "repair".as_ref(),
        "--data".as_ref(),
        standalone.data().as_os_str(),
    ];
    let done = Process::run("webmon", arguments, COMMAND).await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    let rows = done
        .stdout
        .matches("of schedule_shard, scheduled until 2")
        .count();
    assert_eq!(rows, 64, "{}", done.stdout);

    let again = tables::now(&database).await;
    let report = tables::audit(&database, again + 4_000).await;
    report.show();
    report.assert_clean();
    let gaps = format!(
        "SELECT count(*) FROM schedule_gap WHERE since < timestamptz 'epoch' + {} * interval '1 ms'
            AND until > timestamptz 'epoch' + {lost} * interval '1 ms'",
        lost + 5_000
    );
    assert!(tables::number(&database, &gaps).await > 0);
    up.assert_running();
}
