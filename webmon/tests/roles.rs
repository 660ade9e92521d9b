//! The whole path by the three roles, each a login without any other right.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use testbed::{Cluster, Crowd, Database, Process, Settings, eventually};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// How long the services run before they are judged.
const LOAD_MS: i64 = 5_000;
/// What is watched.
const SITES: &[Crowd] = &[Crowd::new("shop", "/ok", 500, 50)];
/// A day that is older than the retention, and one that is finished and not packed.
const DAYS: &str = "
    SELECT webmon_attach_day((now() AT TIME ZONE 'UTC')::date - 40), webmon_attach_day((now() AT TIME ZONE 'UTC')::date - 4);
    INSERT INTO check_result (site_id, scheduled_at, outcome) SELECT 1, now() - interval '4 days', 'up'";

/// Settings with a login that is a member of this role alone.
async fn settings_of(cluster: &Cluster, database: &Database, role: &str) -> Settings {
    Settings {
        database_url: database.login(&format!("IN ROLE {role}")).await,
        ..cluster.settings.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedulers_checkers_and_readers_need_no_more_than_their_roles() {
    let database = Database::granted().await;
    database
        .connect()
        .await
        .execute_unprepared(DAYS)
        .await
        .unwrap();
    let cluster = Cluster::in_database("roles", &database.superuser()).await;
    cluster.add(SITES).await;
    let scheduler = settings_of(&cluster, &database, "webmon_scheduler").await;
    let checker = settings_of(&cluster, &database, "webmon_checker").await;
    let services = cluster.services([&scheduler, &checker]).await;
    let start = cluster.now().await;

    applies_and_exports(&cluster, &scheduler).await;
    cluster.audit(start + LOAD_MS).await.assert_clean();
    upkeep_is_done(&cluster).await;
    reads(
        &cluster,
        &settings_of(&cluster, &database, "webmon_reader").await,
    )
    .await;
    probes(&cluster, &checker).await;
    makes_a_missing_day(&cluster).await;
    for mut service in services {
        service.process.terminate();
        assert_eq!(service.process.wait(PATIENCE).await, 0);
    }
}

/// `scheduler apply`, dry and not, and `scheduler export`.
async fn applies_and_exports(cluster: &Cluster, scheduler: &Settings) {
    let file = cluster.folder().join("new.yaml");
    let site = cluster.website.url("/ok/new");
    std::fs::write(
        &file,
        format!("sites: [{{name: new, url: '{site}', interval: 1s}}]\n"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let config = scheduler.scheduler(cluster.folder(), "apply");
    let config = ["--config", config.path.to_str().unwrap()];
    for command in [
        &["apply", "--dry-run", file][..],
        &["apply", file],
        &["export"],
    ] {
        let ended = Process::run("scheduler", [command, &config].concat(), COMMAND).await;
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.stderr);
    }
}

/// What has aged is dropped, what is finished is packed, and days are made ahead.
async fn upkeep_is_done(cluster: &Cluster) {
    let days = "SELECT string_agg((to_date(right(relname, 8), 'YYYYMMDD') - (now() AT TIME ZONE 'UTC')::date)::text, ' '
        ORDER BY relname) = '-4 -1 0 1 2' FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'check_result'::regclass";
    let packed = "SELECT count(*) > 0 FROM pg_index WHERE obj_description(indexrelid, 'pg_class') = 'packed'";
    for sql in [days, packed] {
        eventually(PATIENCE, sql, async || {
            let done = format!("SELECT (({sql})::int)::bigint");
            (cluster.number(&done).await == 1).then_some(())
        })
        .await;
    }
}

/// `webmon status`, `export`, `audit`, and `migration status`.
async fn reads(cluster: &Cluster, reader: &Settings) {
    let config = cluster.folder().join("reader.yaml");
    std::fs::write(
        &config,
        format!("database: {{url: {:?}}}\n", reader.database_url),
    )
    .unwrap();
    let config = config.to_str().unwrap();
    for command in ["status", "export", "audit"] {
        let ended = Process::run("webmon", [command, "--config", config], COMMAND).await;
        assert_eq!(ended.code, 0, "{command}: {}{}", ended.stdout, ended.stderr);
    }
    let status = ["status", "--database-url", &reader.database_url];
    let ended = Process::run("migration", status, COMMAND).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

/// `checker probe --site`.
async fn probes(cluster: &Cluster, checker: &Settings) {
    let config = checker.checker(cluster.folder(), "probe");
    let probe = [
        "probe",
        "--site",
        "new",
        "--config",
        config.path.to_str().unwrap(),
    ];
    let ended = Process::run("checker", probe, COMMAND).await;
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

/// A recorder that meets a missing day has it made.
async fn makes_a_missing_day(cluster: &Cluster) {
    let today = "to_regclass('check_result_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))";
    cluster
        .execute(&format!(
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || {today}; END $$"
        ))
        .await;
    let recorded =
        "SELECT count(*) FROM check_result WHERE scheduled_at > now() - interval '1 minute'";
    eventually(PATIENCE, "results are recorded again", async || {
        (cluster.number(recorded).await > 0).then_some(())
    })
    .await;
}
