//! `PgBouncer` between webmon and its database: whole sessions work, shared ones are refused.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::time::Duration;

use runtime::config::Secret;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement, TryGetable};
use store::config::DatabaseConfig;
use store::{DatabaseError, Pool, connect, connect_patiently};
use testbed::{Database, Pooler};
use tokio_util::sync::CancellationToken;

/// A pool with a setting.
const POOL: Pool = Pool {
    name: "webmon-test",
    connections: 2,
    settings: &[("jit", "off"), ("statement_timeout", "590s")],
};
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// `database.url` of a configuration.
fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        url: Secret::new(url),
    }
}

/// The only value of a query.
async fn scalar<T: TryGetable>(database: &DatabaseConnection, sql: &str) -> T {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_lends_whole_sessions_keeps_their_settings() {
    let database = Database::empty().await;
    let pooler = Pooler::start(database.url(), "session").await;
    let config = config(pooler.url());
    let stop = CancellationToken::new();
    let patient = connect_patiently(&config, POOL, PATIENCE, &stop)
        .await
        .unwrap();
    for pool in [patient, connect(&config, POOL).await.unwrap()] {
        let jit: String = scalar(&pool, "SELECT current_setting('jit')").await;
        let name: String = scalar(&pool, "SELECT current_setting('application_name')").await;
        let limit: String = scalar(&pool, "SELECT current_setting('statement_timeout')").await;
        let kept = (jit.as_str(), limit.as_str(), name.as_str());
        assert_eq!(kept, ("off", "590s", "webmon-test"));
        // A prepared statement, again and again on all connections.
        for _ in 0..8 {
            assert_eq!(scalar::<i32>(&pool, "SELECT 7").await, 7);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_shares_sessions_is_refused_by_name() {
    let database = Database::empty().await;
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(database.url(), mode).await;
        let config = config(pooler.url());
        let stop = CancellationToken::new();
        let at_start = connect_patiently(&config, POOL, PATIENCE, &stop).await;
        for refused in [at_start, connect(&config, POOL).await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, DatabaseError::Connect { .. }), "{error:?}");
            let said = error.to_string();
            for part in [
                "PgBouncer",
                "pool_mode = session",
                "PostgreSQL's own address in database.url",
            ] {
                assert!(said.contains(part), "{mode}: {said}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_refuses_options_is_told_as_that() {
    let database = Database::empty().await;
    let pooler = Pooler::start(database.url(), "session").await;
    let config = config(&format!("{}?options=-c%20jit%3Doff", pooler.url()));
    let error = connect(&config, POOL).await.unwrap_err().to_string();
    assert!(
        error.contains("unsupported startup parameter: options; this is a pooler such as PgBouncer: remove `options`"),
        "{error}"
    );
}
