//! What the commands promise where others have their tables, or work at the same time.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use std::sync::Arc;

use migration::{Foreign, Loss, MigrationError, State, lose, up};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use store::SCHEMA_VERSION;
use testbed::Database;
use tokio::sync::Barrier;

/// Every kind of thing that another application may have, one by one.
const FOREIGN: &[(&str, &str)] = &[
    (
        "CREATE TABLE invoices (id serial PRIMARY KEY)",
        "table invoices",
    ),
    ("CREATE TABLE site (id int)", "table site"),
    (
        "CREATE TABLE check_result_20261123 (id int)",
        "table check_result_20261123",
    ),
    ("CREATE TABLE \"Odd Name\" ()", "table \"Odd Name\""),
    ("CREATE VIEW report AS SELECT 1", "view report"),
    (
        "CREATE MATERIALIZED VIEW report AS SELECT 1",
        "materialized view report",
    ),
    ("CREATE SEQUENCE numbers", "sequence numbers"),
    ("CREATE TYPE mood AS ENUM ('glad')", "type mood"),
    ("CREATE TYPE pair AS (a int, b int)", "type pair"),
    ("CREATE DOMAIN name_of AS text", "type name_of"),
    (
        "CREATE FUNCTION webmon_make_day(text) RETURNS int LANGUAGE sql RETURN 1",
        "function webmon_make_day(text)",
    ),
    (
        "CREATE PROCEDURE tidy() LANGUAGE sql AS ''",
        "function tidy()",
    ),
    (
        "CREATE TABLE events (at date) PARTITION BY RANGE (at)",
        "table events",
    ),
];

/// Whether this gives true.
async fn holds(db: &DatabaseConnection, question: &str) -> bool {
    let sql = format!("SELECT {question}");
    let statement = Statement::from_string(db.get_database_backend(), &sql);
    let row = db.query_one_raw(statement).await.expect(&sql);
    row.expect("a row").try_get_by_index(0).expect("a boolean")
}

/// Whether webmon's tables are there, with a site in them.
async fn is_in_use(db: &DatabaseConnection) -> bool {
    holds(db, "to_regclass('site') IS NOT NULL").await
        && holds(db, "EXISTS (SELECT FROM site WHERE name = 'kept')").await
}

/// A migrated database with a site.
async fn used() -> (Database, DatabaseConnection) {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sql = "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('kept', 'http://a/', 1000, 1000)";
    db.execute_unprepared(sql).await.expect(sql);
    (database, db)
}

/// The name of the database.
fn name(database: &Database) -> String {
    let (_, name) = database.url().rsplit_once('/').expect("an address");
    name.to_owned()
}

#[tokio::test]
async fn a_first_migration_refuses_a_schema_with_anything_of_others() {
    for (make, named) in FOREIGN {
        let database = Database::empty().await;
        let db = database.connect().await;
        db.execute_unprepared(make).await.unwrap();
        let error = up(&db, None, Foreign::Refuse)
            .await
            .expect_err(make)
            .to_string();
        for part in [*named, &name(&database), "run `migration up --yes`"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(
            !holds(&db, "to_regclass('seaql_migrations') IS NOT NULL").await,
            "{make}"
        );
    }
}

#[tokio::test]
async fn a_first_migration_goes_beside_others_when_it_is_told_to() {
    let database = Database::empty().await;
    let db = database.connect().await;
    db.execute_unprepared("CREATE TABLE invoices (id serial)")
        .await
        .unwrap();
    up(&db, None, Foreign::Accept).await.unwrap();
    // What came later, and is known, is no question any more.
    db.execute_unprepared("CREATE TABLE orders ()")
        .await
        .unwrap();
    up(&db, None, Foreign::Refuse).await.unwrap();
    assert!(holds(&db, "to_regclass('site') IS NOT NULL").await);
}

#[tokio::test]
async fn members_of_extensions_are_not_anothers_tables() {
    let database = Database::empty().await;
    let db = database.connect().await;
    db.execute_unprepared("CREATE EXTENSION pg_stat_statements")
        .await
        .unwrap();
    up(&db, None, Foreign::Refuse).await.unwrap();
}

#[tokio::test]
async fn another_schema_of_the_database_is_no_obstacle() {
    let database = Database::empty().await;
    let db = database.connect().await;
    db.execute_unprepared("CREATE SCHEMA theirs CREATE TABLE invoices (id int)")
        .await
        .unwrap();
    up(&db, None, Foreign::Refuse).await.unwrap();
}

#[tokio::test]
async fn every_thing_that_the_steps_make_is_known_as_webmons() {
    let (database, db) = used().await;
    db.execute_unprepared(DAY).await.unwrap();
    // Refused if there were anything else, a detached day included.
    db.execute_unprepared("ALTER TABLE check_result DETACH PARTITION check_result_20261123")
        .await
        .unwrap();
    lose(&db, Loss::Fresh, Some(&name(&database)))
        .await
        .unwrap();
    assert!(!is_in_use(&db).await);
    assert!(holds(&db, "to_regclass('check_result_20261123') IS NULL").await);
    up(&db, None, Foreign::Refuse).await.unwrap();
}

/// A day with a partition.
const DAY: &str = "CREATE TABLE check_result_20261123 PARTITION OF check_result
    FOR VALUES FROM ('2026-11-23 00:00:00+00') TO ('2026-11-24 00:00:00+00')";

/// Every command that loses data.
const LOSSES: [Loss; 4] = [Loss::Down(1), Loss::Reset, Loss::Refresh, Loss::Fresh];

#[tokio::test]
async fn nothing_is_lost_unless_the_database_is_named() {
    let (database, db) = used().await;
    for loss in LOSSES {
        for yes in [None, Some("yes"), Some(""), Some("postgres")] {
            let error = lose(&db, loss, yes).await.expect_err("a refusal");
            assert!(error.is_usage(), "{error}");
            let remedy = format!("--yes {}", name(&database));
            assert!(error.to_string().contains(&remedy), "{error}");
        }
        assert!(is_in_use(&db).await, "{loss:?}");
    }
}

#[tokio::test]
async fn nothing_is_dropped_where_others_have_their_tables_even_if_it_is_named() {
    for (make, named) in FOREIGN {
        let (database, db) = used().await;
        if db.execute_unprepared(make).await.is_err() {
            continue; // webmon has one of this name
        }
        if *named == "table check_result_20261123" {
            continue; // as if it were a day
        }
        for loss in LOSSES {
            let error = lose(&db, loss, Some(&name(&database)))
                .await
                .expect_err(make);
            assert!(error.to_string().contains(named), "{named} in {error}");
            assert!(is_in_use(&db).await, "{loss:?} {make}");
        }
    }
}

#[tokio::test]
async fn a_table_that_only_has_a_name_of_webmons_is_not_dropped() {
    let database = Database::empty().await;
    let db = database.connect().await;
    let theirs = "CREATE TABLE site AS SELECT 'kept' AS name; CREATE TABLE installation ()";
    db.execute_unprepared(theirs).await.unwrap();
    for loss in LOSSES {
        lose(&db, loss, Some(&name(&database)))
            .await
            .expect_err("a refusal");
        assert!(is_in_use(&db).await, "{loss:?}");
    }
}

#[tokio::test]
async fn what_elsewhere_depends_on_webmons_tables_keeps_them() {
    let (database, db) = used().await;
    db.execute_unprepared("CREATE SCHEMA theirs CREATE VIEW names AS SELECT name FROM public.site")
        .await
        .unwrap();
    for loss in [Loss::Reset, Loss::Refresh, Loss::Fresh] {
        lose(&db, loss, Some(&name(&database)))
            .await
            .expect_err("a refusal");
        assert!(is_in_use(&db).await, "{loss:?}");
        assert!(holds(&db, "EXISTS (SELECT FROM theirs.names)").await);
        up(&db, None, Foreign::Refuse).await.unwrap();
    }
}

#[tokio::test]
async fn a_reset_leaves_nothing_and_can_be_migrated_again() {
    let (database, db) = used().await;
    lose(&db, Loss::Reset, Some(&name(&database)))
        .await
        .unwrap();
    let left = "EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)";
    assert!(!holds(&db, left).await);
    up(&db, None, Foreign::Refuse).await.unwrap();
    lose(&db, Loss::Refresh, Some(&name(&database)))
        .await
        .unwrap();
    assert!(holds(&db, "to_regclass('site') IS NOT NULL").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_at_once_migrate_one_after_the_other() {
    let database = Database::empty().await;
    let start = Arc::new(Barrier::new(8));
    let mut callers = Vec::new();
    for _ in 0..8 {
        let (db, start) = (database.connect().await, Arc::clone(&start));
        callers.push(tokio::spawn(async move {
            start.wait().await;
            up(&db, None, Foreign::Refuse).await
        }));
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let state = State::known(&database.connect().await).await.unwrap();
    assert!(state.steps().iter().all(|step| step.is_applied));
}

#[tokio::test]
async fn a_schema_of_a_newer_build_is_named_as_newer_by_every_command() {
    let (database, db) = used().await;
    let future = "m99990101_000001_from_the_future";
    let sql = format!("INSERT INTO seaql_migrations VALUES ('{future}', 0)");
    db.execute_unprepared(&sql).await.unwrap();
    let expected = format!(
        "the database's schema is {future}, this build knows only {SCHEMA_VERSION}; upgrade webmon"
    );
    let refused = up(&db, None, Foreign::Accept).await.unwrap_err();
    assert_eq!(refused.to_string(), expected);
    for loss in LOSSES {
        let refused = lose(&db, loss, Some(&name(&database))).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    assert!(is_in_use(&db).await);
}

#[tokio::test]
async fn the_steps_of_another_application_are_named_as_such() {
    let database = Database::empty().await;
    let db = database.connect().await;
    let theirs = "CREATE TABLE seaql_migrations (version text, applied_at bigint);
                  INSERT INTO seaql_migrations VALUES ('m20220101_000001_create_table', 0)";
    db.execute_unprepared(theirs).await.unwrap();
    for foreign in [Foreign::Refuse, Foreign::Accept] {
        let refused = up(&db, None, foreign).await.unwrap_err();
        assert!(
            matches!(&refused, MigrationError::AnotherApplication { found, .. } if found.contains("create_table")),
            "{refused}"
        );
    }
    assert!(
        lose(&db, Loss::Fresh, Some(&name(&database)))
            .await
            .is_err()
    );
    assert!(holds(&db, "EXISTS (SELECT FROM seaql_migrations)").await);
}
