//! What the history promises: every step has its way back, and its end is what the services expect.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use contract::outcome::{Outcome, Reason};
use migration::Migrator;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait as _;
use store::SCHEMA_VERSION;
use testbed::Database;

/// Everything in the schema but the migrations' own table, with its kind.
const THINGS: &str = "
    SELECT relkind::text || ' ' || relname AS text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'seaql_migrations%'
    UNION ALL SELECT 'type ' || typname FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%seaql_migrations'
    UNION ALL SELECT 'value ' || typname || ' ' || enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
        WHERE typnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function ' || proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1";

/// Runs a query and gives the one text, named `text`, of each row.
async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.expect(sql);
    rows.iter()
        .map(|row| row.try_get("", "text").expect("a text"))
        .collect()
}

/// What a running webmon leaves in the tables.
async fn use_it(db: &DatabaseConnection) {
    let sql = "
        INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('a', 'b', 100, 100);
        SELECT webmon_attach_day('2026-11-23');
        INSERT INTO check_result (site_id, scheduled_at, outcome, reason)
            VALUES (1, '2026-11-23T12:00:00Z', 'missed', 'lost')";
    db.execute_unprepared(sql).await.expect(sql);
}

#[tokio::test]
async fn each_step_leaves_nothing_behind_when_it_is_taken_back() {
    let database = Database::empty().await;
    let db = database.connect().await;
    let mut before = vec![texts(&db, THINGS).await];
    for _ in Migrator::migrations() {
        Migrator::up(&db, Some(1)).await.unwrap();
        before.push(texts(&db, THINGS).await);
    }
    let complete = before.pop().unwrap();
    use_it(&db).await;
    while let Some(things) = before.pop() {
        Migrator::down(&db, Some(1)).await.unwrap();
        let mut left = texts(&db, THINGS).await;
        // A day that was used stays as long as the table that it is a part of.
        if things.contains(&"p check_result".to_owned()) {
            left.retain(|thing| !thing.contains("check_result_2"));
        }
        assert_eq!(left, things);
    }
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(texts(&db, THINGS).await, complete);
    use_it(&db).await;
}

#[tokio::test]
async fn fresh_starts_over_whatever_is_there() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let complete = texts(&db, THINGS).await;
    use_it(&db).await;
    Migrator::fresh(&db).await.unwrap();
    assert_eq!(texts(&db, THINGS).await, complete);
}

#[tokio::test]
async fn the_last_step_is_the_schema_that_the_services_expect() {
    let last = Migrator::migrations().pop().unwrap();
    assert_eq!(last.name(), SCHEMA_VERSION);
    let database = Database::migrated().await;
    let sql = "SELECT max(version) AS text FROM seaql_migrations";
    assert_eq!(
        texts(&database.connect().await, sql).await,
        [SCHEMA_VERSION]
    );
}

#[tokio::test]
async fn the_enums_are_the_contracts_lists() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let outcomes: Vec<_> = Outcome::ALL
        .iter()
        .map(|outcome| outcome.as_str())
        .collect();
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    for (name, expected) in [("check_outcome", outcomes), ("check_reason", reasons)] {
        let sql = format!("SELECT unnest(enum_range(NULL::{name}))::text AS text");
        assert_eq!(texts(&db, &sql).await, expected, "{name}");
    }
}

#[tokio::test]
async fn scheduling_begins_with_the_migration() {
    let database = Database::migrated().await;
    let sql = "SELECT format('%s shards, %s to %s, %s', count(*), min(id), max(id), bool_and(
                   scheduled_until = reconciled_until AND scheduled_until <= now()
                   AND scheduled_until > now() - interval '1 minute')) AS text
               FROM schedule_shard";
    assert_eq!(
        texts(&database.connect().await, sql).await,
        ["64 shards, 0 to 63, t"]
    );
}
