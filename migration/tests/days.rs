//! What `webmon_attach_day` and `webmon_make_day` promise: a UTC day is made once, by any number of callers,
//! wherever they are; and other roles may have only the days around today made.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait as _};
use testbed::Database;
use tokio::sync::Barrier;

/// Runs a query and gives the one text, named `text`, of each row.
async fn texts(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "text")).collect()
}

/// The days there are.
async fn days(db: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT inhrelid::regclass::text AS text FROM pg_inherits
               WHERE inhparent = 'check_result'::regclass ORDER BY 1";
    texts(db, sql).await.expect(sql)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_callers_at_once_make_one_day() {
    let database = Database::migrated().await;
    let start = Arc::new(Barrier::new(16));
    let mut callers = Vec::new();
    for _ in 0..16 {
        let (db, start) = (database.connect().await, Arc::clone(&start));
        callers.push(tokio::spawn(async move {
            start.wait().await;
            db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
                .await
        }));
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(
        days(&database.connect().await).await,
        ["check_result_20261123"]
    );
}

#[tokio::test]
async fn a_day_that_is_not_made_refuses_its_results() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    let insert = "INSERT INTO check_result (site_id, scheduled_at, outcome)
                  VALUES (1, '2026-11-24T00:00:00Z', 'up')";
    let error = db.execute_unprepared(insert).await.unwrap_err().to_string();
    assert!(error.contains("no partition"), "{error}");
}

#[tokio::test]
async fn a_day_is_a_utc_day_in_any_session() {
    let insert = "INSERT INTO check_result (site_id, scheduled_at, outcome) VALUES
        (1, '2026-03-28T23:59:59.999Z', 'up'), (1, '2026-03-29T00:00:00Z', 'up'),
        (1, '2026-03-29T23:59:59.999Z', 'up'), (1, '2026-03-30T00:00:00Z', 'up')
        RETURNING tableoid::regclass::text AS text";
    let expected = [28, 29, 29, 30].map(|day| format!("check_result_202603{day}"));
    let sessions = [
        ("UTC", "ISO, MDY"),
        ("Pacific/Kiritimati", "SQL, DMY"),
        ("America/Los_Angeles", "German"),
        ("Europe/Berlin", "Postgres, DMY"),
        ("Asia/Kolkata", "SQL, MDY"),
    ];
    for (zone, style) in sessions {
        let database = Database::migrated().await;
        let session = database.connect().await.begin().await.unwrap();
        let set = format!("SET TimeZone = '{zone}'; SET DateStyle = '{style}'");
        session.execute_unprepared(&set).await.unwrap();
        for day in ["2026-03-28", "2026-03-29", "2026-03-30"] {
            let make = format!("SELECT webmon_attach_day('{day}')");
            session.execute_unprepared(&make).await.unwrap();
        }
        assert_eq!(
            texts(&session, insert).await.unwrap(),
            expected,
            "{zone}, {style}"
        );
    }
}

#[tokio::test]
async fn a_role_without_ddl_makes_a_day_and_writes_to_it() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    // roles belong to the whole server, so this one is never committed
    let session = db.begin().await.unwrap();
    let become_checker = "
        CREATE ROLE webmon_test_checker;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION webmon_make_day(date) TO webmon_test_checker;
        GRANT SELECT, INSERT, UPDATE ON check_result TO webmon_test_checker;
        SET LOCAL ROLE webmon_test_checker";
    session.execute_unprepared(become_checker).await.unwrap();

    let ddl = session.begin().await.unwrap();
    let error = ddl
        .execute_unprepared("CREATE TABLE mine ()")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("permission denied"), "{error}");
    ddl.rollback().await.unwrap();

    let today = "((now() AT TIME ZONE 'UTC')::date)";
    session
        .execute_unprepared(&format!("SELECT webmon_make_day({today})"))
        .await
        .unwrap();
    let insert = "INSERT INTO check_result (site_id, scheduled_at, outcome) VALUES (1, now(), 'up')
                  RETURNING (tableoid::regclass::text
                      = 'check_result_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))::text AS text";
    assert_eq!(texts(&session, insert).await.unwrap(), ["true"]);
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn any_role_may_have_the_days_around_today_made_and_no_other() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    for (days, is_made) in [
        (-100_000, false),
        (-32, false),
        (-3, false),
        (-2, true),
        (0, true),
        (8, true),
        (9, false),
        (100_000, false),
    ] {
        let call = format!("SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date + {days})");
        let made = db.execute_unprepared(&call).await;
        assert_eq!(made.is_ok(), is_made, "{days} days from today: {made:?}");
        if let Err(error) = made {
            assert!(
                error.to_string().contains("is not a day of results"),
                "{error}"
            );
        }
    }
    assert_eq!(days(&db).await.len(), 3);
}

#[tokio::test]
async fn a_callers_own_tables_and_functions_are_not_used() {
    let database = Database::migrated().await;
    let session = database.connect().await.begin().await.unwrap();
    let shadows = "
        CREATE TEMPORARY TABLE check_result (mine int);
        CREATE SCHEMA mine;
        CREATE FUNCTION mine.to_char(timestamp, text) RETURNS text LANGUAGE sql
            RETURN 'not a day';
        SET search_path = mine, pg_catalog, public";
    session.execute_unprepared(shadows).await.unwrap();
    session
        .execute_unprepared("SELECT public.webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    let sql = "SELECT inhparent::regclass::text || ' ' || inhrelid::regclass::text AS text
               FROM pg_inherits WHERE inhrelid = 'public.check_result_20261123'::regclass";
    let made = texts(&session, sql).await.unwrap();
    assert_eq!(made, ["public.check_result check_result_20261123"]);
}

#[tokio::test]
async fn a_day_has_the_primary_key() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    let insert = "INSERT INTO check_result (site_id, scheduled_at, outcome)
                  VALUES (1, '2026-11-23T12:00:00Z', 'up')
                  ON CONFLICT (site_id, scheduled_at) DO NOTHING";
    assert_eq!(
        db.execute_unprepared(insert).await.unwrap().rows_affected(),
        1
    );
    assert_eq!(
        db.execute_unprepared(insert).await.unwrap().rows_affected(),
        0
    );
}

#[tokio::test]
async fn what_is_no_day_is_refused() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    for day in ["infinity", "-infinity", "0044-03-15 BC"] {
        for function in ["webmon_attach_day", "webmon_make_day"] {
            let sql = format!("SELECT {function}('{day}')");
            let error = db
                .execute_unprepared(&sql)
                .await
                .expect_err(day)
                .to_string();
            assert!(error.contains("is not a day of results"), "{error}");
        }
    }
    assert!(days(&db).await.is_empty());
}
