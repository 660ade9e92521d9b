//! What the trigger of `site` promises: a change that moves due instants unschedules the row, a stamp
//! is no change by people, and everything else only shows in `updated_at`.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use testbed::Database;

/// A site, stamped and updated long ago, with an extra due instant.
const SITE: &str = "
    TRUNCATE site;
    INSERT INTO site (name, url, interval_ms, timeout_ms, check_at, updated_at)
        VALUES ('a', 'http://127.0.0.1/', 60000, 1000, '2001-01-01Z', '2000-01-01Z');
    UPDATE site SET scheduled_from = '2000-01-01Z'";

/// What a statement does to `scheduled_from` and `updated_at`.
const STATE: &str = "
    SELECT CASE WHEN scheduled_from IS NULL THEN 'cleared'
                WHEN scheduled_from = '2000-01-01Z' THEN 'kept'
                ELSE 'set' END
        || CASE WHEN updated_at = '2000-01-01Z' THEN ', untouched' ELSE ', touched' END AS state
    FROM site";

/// The law: each statement, and its effect.
const LAW: [(&str, &str); 19] = [
    // what moves due instants
    ("UPDATE site SET name = 'b'", "cleared, touched"),
    ("UPDATE site SET interval_ms = 30000", "cleared, touched"),
    ("UPDATE site SET enabled = false", "cleared, touched"),
    ("UPDATE site SET check_at = now()", "cleared, touched"),
    ("UPDATE site SET check_at = NULL", "cleared, touched"),
    ("UPDATE site SET name = 'b', url = 'http://127.0.0.2/'", "cleared, touched"),
    // what does not
    ("UPDATE site SET url = 'http://127.0.0.2/'", "kept, touched"),
    ("UPDATE site SET timeout_ms = 2000", "kept, touched"),
    (r#"UPDATE site SET request = '{"method": "HEAD"}'"#, "kept, touched"),
    (r#"UPDATE site SET expect = '{"status": [200]}'"#, "kept, touched"),
    (r#"UPDATE site SET labels = '{"team": "shop"}'"#, "kept, touched"),
    ("UPDATE site SET name = 'a', interval_ms = 60000", "kept, touched"),
    ("UPDATE site SET updated_at = '2000-01-01Z'", "kept, touched"),
    // a tool that writes by upsert, whose INSERT the trigger sees first
    (
        "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('a', 'x', 60000, 1000)
            ON CONFLICT (name) DO UPDATE SET url = excluded.url, interval_ms = excluded.interval_ms",
        "kept, touched",
    ),
    // stamps
    ("UPDATE site SET scheduled_from = '2002-01-01Z'", "set, untouched"),
    ("UPDATE site SET scheduled_from = '2002-01-01Z', check_at = '2002-01-01Z'", "set, untouched"),
    ("UPDATE site SET scheduled_from = '2002-01-01Z', interval_ms = 30000", "set, untouched"),
    ("UPDATE site SET scheduled_from = NULL", "cleared, untouched"),
    // setting it to what it is says nothing
    ("UPDATE site SET scheduled_from = scheduled_from, name = 'b'", "cleared, touched"),
];

/// What became of the one site.
async fn state(db: &DatabaseConnection) -> String {
    let statement = Statement::from_string(db.get_database_backend(), STATE);
    let row = db
        .query_one_raw(statement)
        .await
        .expect(STATE)
        .expect("no site");
    row.try_get("", "state").expect("a text")
}

#[tokio::test]
async fn each_statement_has_the_effect_that_the_law_says() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    for (statement, effect) in LAW {
        db.execute_unprepared(SITE).await.unwrap();
        assert_eq!(state(&db).await, "kept, untouched");
        db.execute_unprepared(statement).await.unwrap();
        assert_eq!(state(&db).await, effect, "{statement}");
    }
}

#[tokio::test]
async fn a_new_row_is_never_stamped() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let insert = "INSERT INTO site (name, url, interval_ms, timeout_ms, scheduled_from, updated_at)
                  VALUES ('a', 'b', 100, 100, '2000-01-01Z', '2000-01-01Z')";
    db.execute_unprepared(insert).await.unwrap();
    assert_eq!(state(&db).await, "cleared, untouched");
}
