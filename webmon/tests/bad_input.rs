//! What webmon says about what it cannot work with: the thing, the remedy, and the exit code.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Statement};
use testbed::{Cluster, Database, Finished, Process, Settings, brokers, free_address};

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// How long a service may take to give up: it waits 30 seconds for what does not answer.
const GIVING_UP: Duration = Duration::from_secs(45);

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_refused_with_file_and_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("config.yaml");
    let name = file.to_str().unwrap();
    let whole = "database: {url: 'postgres://db/webmon'}\nkafka: {brokers: ['kafka:9092']}\n";
    for (yaml, words) in [
        (
            "kafka: {brokers: ['kafka:9092']}\n".to_owned(),
            ["database", "missing"],
        ),
        (format!("{whole}horizn: 2s\n"), ["horizn", "unknown"]),
        (
            format!("{whole}http: {{listen: nowhere}}\n"),
            ["http.listen", "127.0.0.1"],
        ),
        (format!("{whole}kafka: [\n"), ["line 3", "kafka"]),
        (
            format!("{whole}log: {{filter: '${{WEBMON_UNSET}}'}}\n"),
            ["log.filter", "WEBMON_UNSET"],
        ),
    ] {
        std::fs::write(&file, yaml).unwrap();
        for program in ["scheduler", "checker"] {
            for command in ["run", "check-config"] {
                let arguments = [command, "--config", name];
                let finished = Process::run(program, arguments, COMMAND).await;
                assert_refused(&finished, 2, &[&[name], words.as_slice()].concat());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_not_there_is_named() {
    for program in ["scheduler", "checker"] {
        let arguments = ["run", "--config", "nowhere/config.yaml"];
        let finished = Process::run(program, arguments, COMMAND).await;
        assert_refused(&finished, 2, &["nowhere/config.yaml"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_usage_exits_with_2() {
    for program in ["scheduler", "checker", "webmon"] {
        let finished = Process::run(program, ["--no-such-option"], COMMAND).await;
        assert_refused(&finished, 2, &["--no-such-option"]);
        let help = Process::run(program, ["--help"], COMMAND).await;
        assert_eq!(
            (help.code, help.stdout.contains("Usage")),
            (0, true),
            "{program}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_or_broker_that_never_answers_is_named_and_given_up() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = Database::migrated().await;
    let nowhere = free_address().to_string();
    let no_database = Settings::plain(
        &format!("postgres://webmon:swordfish@{nowhere}/webmon"),
        "webmon.test.never",
    );
    let no_broker = Settings {
        brokers: nowhere.clone(),
        ..Settings::plain(database.url(), "webmon.test.never")
    };
    let (a, b, c, d) = tokio::join!(
        refusal(&no_database, "scheduler", folder.path()),
        refusal(&no_database, "checker", folder.path()),
        refusal(&no_broker, "scheduler", folder.path()),
        refusal(&no_broker, "checker", folder.path()),
    );
    for finished in [a, b] {
        assert_refused(&finished, 1, &[&nowhere, "database.url"]);
        assert!(
            !finished.stderr.contains("swordfish"),
            "{}",
            finished.stderr
        );
    }
    for finished in [c, d] {
        assert_refused(&finished, 1, &[&nowhere, "kafka.brokers"]);
    }
}

/// What a service says that cannot start.
async fn refusal(settings: &Settings, program: &str, folder: &Path) -> Finished {
    let file = match program {
        "checker" => settings.checker(folder, &format!("{program}-{}", settings.brokers)),
        _ => settings.scheduler(folder, &format!("{program}-{}", settings.brokers)),
    };
    Process::run(program, file.run(), GIVING_UP).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_the_schema_is_refused_with_the_remedy() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = Database::empty().await;
    let settings = Settings::plain(database.url(), "webmon.test.never");
    for program in ["scheduler", "checker"] {
        let finished = refusal(&settings, program, folder.path()).await;
        assert_refused(&finished, 1, &["run `migration up`"]);
    }
    assert!(
        !brokers().is_empty(),
        "the broker was there, the schema was not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_build_is_refused_and_both_versions_are_named() {
    let folder = tempfile::TempDir::new().unwrap();
    let needed = store::SCHEMA_VERSION;
    let last = "SELECT max(version) FROM seaql_migrations";
    for (change, remedy) in [
        (
            format!("DELETE FROM seaql_migrations WHERE version = ({last})"),
            "run `migration up`",
        ),
        (
            "INSERT INTO seaql_migrations VALUES ('m9999_from_the_future', 1)".to_owned(),
            "upgrade webmon",
        ),
    ] {
        let database = Database::migrated().await;
        let connection = database.connect().await;
        connection.execute_unprepared(&change).await.unwrap();
        let found = Statement::from_string(connection.get_database_backend(), last);
        let found = connection.query_one_raw(found).await.unwrap().unwrap();
        let found: String = found.try_get_by_index(0).unwrap();
        assert_ne!(found, needed);
        let settings = Settings::plain(database.url(), "webmon.test.never");
        for program in ["scheduler", "checker"] {
            let finished = refusal(&settings, program, folder.path()).await;
            assert_refused(&finished, 1, &[&found, needed, remedy]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_sites_file_changes_nothing_and_names_every_bad_site() {
    let cluster = Cluster::start("apply").await;
    let good = "sites:\n  - {name: shop, url: 'http://shop.example/'}\n";
    assert_eq!(cluster.apply(good).await.code, 0);
    let everything = "SELECT hashtext(string_agg(site::text || xmin, ' '))::bigint FROM site";
    let before = cluster.number(everything).await;

    let bad = "sites:\n  - {name: new, url: 'http://new.example/'}\n  \
               - {name: shop, url: 'ftp://shop.example/'}\n  \
               - {name: mail, url: 'http://mail.example/', interval: often}\n  \
               - {name: new, url: 'http://new.example/'}\n";
    let words = [
        "sites[1]", "shop", "url", "sites[2]", "mail", "interval", "sites[3]", "new",
    ];
    assert_refused(&cluster.apply(bad).await, 2, &words);
    assert_refused(
        &cluster.apply("sites: [\n").await,
        2,
        &["sites.yaml", "line"],
    );
    assert_eq!(
        cluster.number(everything).await,
        before,
        "the sites have changed"
    );
}

/// A refusal has its exit code, and names the things in words.
fn assert_refused(finished: &Finished, code: i32, words: &[&str]) {
    let said = &finished.stderr;
    assert_eq!(finished.code, code, "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not named: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}
