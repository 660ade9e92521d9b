//! What the table `site` promises: a plain INSERT suffices, and nonsense is refused.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use chrono::{DateTime, Utc};
use md5::{Digest as _, Md5};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Statement, Value};
use testbed::Database;

/// Names whose bytes, length and case could lead a hash astray.
const NAMES: [&str; 10] = [
    "a",
    "A",
    " a ",
    "shop",
    "Größe",
    "магазин",
    "東京の店",
    "🦀",
    "it's \\ \"quoted\"",
    "a rather long name for a site that says where it is and what it does and who owns it",
];

/// Runs a statement with values and gives the row it returns.
async fn row(db: &DatabaseConnection, sql: &str, values: Vec<Value>) -> sea_orm::QueryResult {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.query_one_raw(statement)
        .await
        .expect(sql)
        .expect("no row")
}

/// The shard and phase of a name, from the page and not from the schema: of the hash, the first 32
/// bits and the 60 after them.
fn shard_and_phase(name: &str, interval_ms: i32) -> (i16, i32) {
    let hash = u128::from_be_bytes(Md5::digest(name).into());
    let shard = (hash >> 96) % 64;
    let phase = (hash >> 36) % (1 << 60) % u128::from(interval_ms.cast_unsigned());
    (
        i16::try_from(shard).expect("below 64"),
        i32::try_from(phase).expect("below a day"),
    )
}

#[tokio::test]
async fn a_plain_insert_is_a_complete_site_spread_by_its_name() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sql = "INSERT INTO site (name, url, interval_ms, timeout_ms)
               VALUES ($1, 'http://127.0.0.1/', $2, 100) RETURNING shard, phase_ms";
    for (name, interval_ms) in NAMES
        .iter()
        .zip([100, 997, 1_000, 60_000, 86_400_000].repeat(2))
    {
        let row = row(&db, sql, vec![(*name).into(), interval_ms.into()]).await;
        let found: (i16, i32) = (
            row.try_get("", "shard").unwrap(),
            row.try_get("", "phase_ms").unwrap(),
        );
        assert_eq!(
            found,
            shard_and_phase(name, interval_ms),
            "{name:?} every {interval_ms} ms"
        );
    }
}

#[tokio::test]
async fn what_an_insert_leaves_out_has_defaults() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sql = "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('a', 'b', 100, 100)
               RETURNING request::text || expect || labels AS json, enabled,
               check_at, scheduled_from, now() = created_at AND now() = updated_at AS fresh";
    let row = row(&db, sql, vec![]).await;
    assert_eq!(row.try_get::<String>("", "json").unwrap(), "{}{}{}");
    assert!(row.try_get::<bool>("", "enabled").unwrap());
    assert!(row.try_get::<bool>("", "fresh").unwrap());
    for column in ["check_at", "scheduled_from"] {
        assert_eq!(
            row.try_get::<Option<DateTime<Utc>>>("", column).unwrap(),
            None,
            "{column}"
        );
    }
}

#[tokio::test]
async fn a_new_name_or_interval_gives_a_new_place() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let insert = "INSERT INTO site (name, url, interval_ms, timeout_ms)
                  VALUES ('old', 'b', 1000, 100) RETURNING id";
    row(&db, insert, vec![]).await;
    let update = "UPDATE site SET name = 'new', interval_ms = 977 RETURNING shard, phase_ms";
    let row = row(&db, update, vec![]).await;
    let found: (i16, i32) = (
        row.try_get("", "shard").unwrap(),
        row.try_get("", "phase_ms").unwrap(),
    );
    assert_eq!(found, shard_and_phase("new", 977));
}

/// Inserts a good site with these columns set otherwise, as SQL, and takes it out again.
async fn try_insert(db: &DatabaseConnection, changed: &[(&str, &str)]) -> Result<(), DbErr> {
    let mut site = vec![
        ("name", "'a'"),
        ("url", "'http://127.0.0.1/'"),
        ("interval_ms", "60000"),
        ("timeout_ms", "1000"),
    ];
    site.retain(|(column, _)| changed.iter().all(|(other, _)| column != other));
    site.extend_from_slice(changed);
    let (columns, values): (Vec<_>, Vec<_>) = site.into_iter().unzip();
    let (columns, values) = (columns.join(", "), values.join(", "));
    db.execute_unprepared(&format!("INSERT INTO site ({columns}) VALUES ({values})"))
        .await?;
    db.execute_unprepared("DELETE FROM site").await?;
    Ok(())
}

#[tokio::test]
async fn each_constraint_refuses_its_nonsense_by_name() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let large = "jsonb_build_object('a', repeat('x', 65528))";
    let cases: [(&str, &[(&str, &str)]); 18] = [
        ("site_name_length", &[("name", "''")]),
        ("site_name_length", &[("name", "repeat('ä', 256)")]),
        ("site_url_length", &[("url", "''")]),
        ("site_url_length", &[("url", "repeat('ä', 1025)")]),
        (
            "site_interval_ms_range",
            &[("interval_ms", "99"), ("timeout_ms", "50")],
        ),
        ("site_interval_ms_range", &[("interval_ms", "0")]),
        ("site_interval_ms_range", &[("interval_ms", "-1000")]),
        ("site_interval_ms_range", &[("interval_ms", "86400001")]),
        ("site_timeout_ms_range", &[("timeout_ms", "0")]),
        ("site_timeout_ms_range", &[("timeout_ms", "60001")]),
        (
            "site_timeout_ms_range",
            &[("interval_ms", "86400000"), ("timeout_ms", "600001")],
        ),
        ("site_request_size", &[("request", large)]),
        ("site_expect_size", &[("expect", large)]),
        ("site_labels_size", &[("labels", large)]),
        ("\"shard\"", &[("shard", "1")]),
        ("\"phase_ms\"", &[("phase_ms", "1")]),
        ("\"name\"", &[("name", "NULL")]),
        ("\"url\"", &[("url", "NULL")]),
    ];
    for (constraint, changed) in cases {
        let error = try_insert(&db, changed)
            .await
            .expect_err(constraint)
            .to_string();
        assert!(error.contains(constraint), "{changed:?}: {error}");
    }
    for column in [
        "request",
        "expect",
        "labels",
        "enabled",
        "created_at",
        "updated_at",
    ] {
        let error = try_insert(&db, &[(column, "NULL")])
            .await
            .expect_err(column)
            .to_string();
        assert!(error.contains(&format!("\"{column}\"")), "{error}");
    }
}

#[tokio::test]
async fn what_is_just_allowed_is_allowed() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let large = "jsonb_build_object('a', repeat('x', 65527))";
    let cases: [&[(&str, &str)]; 9] = [
        &[("name", "'ä'")],
        &[("name", "repeat('🦀', 255)")],
        &[("url", "repeat('ä', 1024)")],
        &[("interval_ms", "100"), ("timeout_ms", "100")],
        &[("interval_ms", "86400000"), ("timeout_ms", "600000")],
        &[("timeout_ms", "1")],
        &[("request", large)],
        &[("expect", large)],
        &[("labels", large)],
    ];
    for changed in cases {
        try_insert(&db, changed)
            .await
            .unwrap_or_else(|error| panic!("{changed:?}: {error}"));
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sql = "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('a', 'b', 100, 100)";
    db.execute_unprepared(sql).await.unwrap();
    let error = db.execute_unprepared(sql).await.unwrap_err().to_string();
    assert!(error.contains("site_name_key"), "{error}");
}
