//! Several installations: on one Kafka by mistake, and a database that was copied.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use testbed::{
    Cluster, Database, Finished, Process, Settings, eventually, free_address, metric, tables,
};

/// How long results, or an end, may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// Two sites that are always up.
const SITES: &str = "INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT '{name}-' || n, '{url}', 500, 500 FROM generate_series(1, 8) AS n";

#[tokio::test(flavor = "multi_thread")]
async fn two_installations_on_one_topic_leave_each_others_tasks_alone() {
    let production = Cluster::start("shared").await;
    let staging = Database::migrated().await;
    let connections = [production.connection().clone(), staging.connect().await];
    let folder = TempDir::new().unwrap();
    let topic = production.topic.name();
    let settings = [
        production.settings.clone(),
        Settings::plain(staging.url(), topic),
    ];
    // Where staging's sites are nothing listens.
    let urls = [
        production.website.url("/ok"),
        format!("http://{}/", free_address()),
    ];
    let mut services = Vec::new();
    let mut checkers = Vec::new();
    for (n, name) in ["production", "staging"].into_iter().enumerate() {
        let sites = SITES.replace("{name}", name).replace("{url}", &urls[n]);
        connections[n].execute_unprepared(&sites).await.unwrap();
        let files = [
            settings[n].scheduler(folder.path(), &format!("{name}-scheduler")),
            settings[n].checker(folder.path(), &format!("{name}-checker")),
        ];
        checkers.push(files[1].listen);
        services.push(files[0].start(name, "scheduler"));
        services.push(files[1].start(name, "checker"));
    }
    for (connection, listen) in connections.iter().zip(&checkers) {
        eventually(PATIENCE, "both have met the other's tasks", async || {
            let rows = tables::number(connection, "SELECT count(*) FROM check_result").await;
            let foreign = metric(*listen, "webmon_foreign_total").await;
            (rows > 8 && foreign > 20.0).then_some(())
        })
        .await;
    }
    let made = "SELECT count(DISTINCT outcome) FROM check_result WHERE outcome <> 'missed'";
    let up = "SELECT count(*) FROM check_result WHERE outcome = 'up'";
    let down = "SELECT count(*) FROM check_result WHERE outcome = 'down'";
    let [ours, theirs] = connections.each_ref();
    assert_eq!(tables::number(ours, made).await, 1);
    assert!(tables::number(ours, up).await > 0);
    assert_eq!(tables::number(theirs, made).await, 1);
    assert!(tables::number(theirs, down).await > 0);
    for (checker, other) in [(1, theirs), (3, ours)] {
        let said = services[checker].said();
        let told: Vec<_> = said
            .lines()
            .filter(|line| line.contains("another installation sends its tasks"))
            .collect();
        let theirs = tables::installation(other).await;
        assert_eq!(told.len(), 1, "{said}");
        assert!(told[0].contains(&theirs) && told[0].contains("kafka.topic"));
    }
}

/// Runs a command of `webmon`.
async fn webmon(config: &TempDir, url: &str, arguments: &[&str]) -> Finished {
    let file = config.path().join("command.yaml");
    std::fs::write(&file, format!("database: {{url: {url:?}}}\n")).unwrap();
    let file = ["--config", file.to_str().unwrap()];
    Process::run("webmon", arguments.iter().copied().chain(file), PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_database_is_refused_until_people_say_which_it_is() {
    let original = Database::migrated().await;
    let copy = original.copy().await;
    let folder = TempDir::new().unwrap();
    let settings = Settings::plain(copy.url(), "webmon.test.never");
    let files = [
        (settings.scheduler(folder.path(), "scheduler"), "scheduler"),
        (settings.checker(folder.path(), "checker"), "checker"),
    ];
    for (file, program) in &files {
        assert_refused(&Process::run(program, file.run(), PATIENCE).await);
    }
    let data = folder.path().join("data");
    let up = ["up", "--data", data.to_str().unwrap()];
    assert_refused(&webmon(&folder, copy.url(), &up).await);
    let shown = webmon(&folder, copy.url(), &["identity"]).await;
    assert_eq!(shown.code, 1, "{}", shown.stderr);
    assert!(
        shown.stdout.contains("webmon identity keep"),
        "{}",
        shown.stdout
    );
    let status = webmon(&folder, copy.url(), &["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(
        status.stderr.contains("webmon identity new"),
        "{}",
        status.stderr
    );

    let new = webmon(&folder, copy.url(), &["identity", "new"]).await;
    assert_eq!(new.code, 0, "{}", new.stderr);
    let same = webmon(&folder, copy.url(), &["identity"]).await;
    assert_eq!(same.code, 0, "{}", same.stderr);
    let connections = [original.connect().await, copy.connect().await];
    let text = "SELECT id::text, encode(key, 'hex') FROM installation";
    let [first, second] = [
        row(&connections[0], text).await,
        row(&connections[1], text).await,
    ];
    assert!(
        first.0 != second.0 && first.1 != second.1,
        "the copy has an id and a key of its own"
    );
}

/// Two texts.
async fn row(connection: &sea_orm::DatabaseConnection, sql: &str) -> (String, String) {
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    (
        row.try_get_by_index(0).unwrap(),
        row.try_get_by_index(1).unwrap(),
    )
}

/// A refusal is a failure that names both remedies.
fn assert_refused(finished: &Finished) {
    let said = &finished.stderr;
    assert_eq!(finished.code, 1, "{said}");
    for words in [
        "database oid",
        "`webmon identity keep`",
        "`webmon identity new`",
    ] {
        assert!(said.contains(words), "{words} is not named: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_original_keeps_its_identity() {
    let original = Database::migrated().await;
    let moved = original.copy().await;
    let folder = TempDir::new().unwrap();
    let connection = moved.connect().await;
    let before = tables::installation(&connection).await;
    let kept = webmon(&folder, moved.url(), &["identity", "keep"]).await;
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert!(kept.stdout.contains(&before), "{}", kept.stdout);
    assert_eq!(tables::installation(&connection).await, before);
    let shown = webmon(&folder, moved.url(), &["identity"]).await;
    assert_eq!(shown.code, 0, "{}", shown.stdout);
    // A row that was removed is made again.
    connection
        .execute_unprepared("DELETE FROM installation")
        .await
        .unwrap();
    let missing = webmon(&folder, moved.url(), &["identity"]).await;
    assert_eq!(missing.code, 1, "{}", missing.stdout);
    assert!(
        missing.stderr.contains("`webmon identity new`"),
        "{}",
        missing.stderr
    );
    let new = webmon(&folder, moved.url(), &["identity", "new"]).await;
    assert_eq!(new.code, 0, "{}", new.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_ends_when_its_database_becomes_anothers() {
    let cluster = Cluster::start("renewed").await;
    let settings = [&cluster.settings, &cluster.settings];
    let services = cluster.services(settings).await;
    let folder = TempDir::new().unwrap();
    let url = &cluster.settings.database_url;
    let new = webmon(&folder, url, &["identity", "new"]).await;
    assert_eq!(new.code, 0, "{}", new.stderr);
    for mut service in services {
        assert_eq!(service.process.wait(PATIENCE).await, 1);
        let said = service.process.said();
        assert!(
            said.contains("the identity of the database has changed"),
            "{said}"
        );
    }
}
