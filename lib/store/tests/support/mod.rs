//! Databases of the tests' own, on the server that `WEBMON_TEST_DATABASE_URL` names.

use runtime::config::Secret;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use store::config::DatabaseConfig;
use store::{Pool, connect};

/// A pool as the tests use it.
pub(crate) const POOL: Pool = Pool {
    name: "webmon-test",
    connections: 2,
    settings: &[("jit", "off")],
};

/// The server's address; tests that need it fail without it.
pub(crate) fn server_url() -> String {
    let url = std::env::var_os("WEBMON_TEST_DATABASE_URL");
    url.expect("set WEBMON_TEST_DATABASE_URL to a PostgreSQL superuser's address")
        .into_string()
        .unwrap()
}

/// `database.url` of a configuration.
pub(crate) fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        url: Secret::new(url),
    }
}

/// An empty database, and a pool on the server to remove it with.
pub(crate) struct Scratch {
    /// A pool on the empty database.
    pub(crate) database: DatabaseConnection,
    /// Where it was made.
    server: DatabaseConnection,
    /// Its name.
    name: String,
}

impl Scratch {
    /// Makes an empty database for one test.
    pub(crate) async fn create(purpose: &str) -> Self {
        let url = server_url();
        let server = connect(&config(&url), POOL).await.unwrap();
        let name = format!("webmon_runtime_{purpose}_{}", std::process::id());
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            server.execute_unprepared(&sql).await.unwrap();
        }
        let (root, _) = url.rsplit_once('/').unwrap();
        let database = connect(&config(&format!("{root}/{name}")), POOL)
            .await
            .unwrap();
        Self {
            database,
            server,
            name,
        }
    }

    /// Removes it again.
    pub(crate) async fn remove(self) {
        self.database.close().await.unwrap();
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.server.execute_unprepared(&sql).await.unwrap();
        self.server.close().await.unwrap();
    }
}

/// The address of a port on which no program listens.
pub(crate) async fn closed_port() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// One value of the type the caller wants.
pub(crate) async fn scalar<T: sea_orm::TryGetable>(database: &DatabaseConnection, sql: &str) -> T {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Puts migrations on record as sea-orm-migration does.
pub(crate) async fn record_migrations(database: &DatabaseConnection, names: &[&str]) {
    let table = "CREATE TABLE IF NOT EXISTS seaql_migrations \
                 (version varchar PRIMARY KEY, applied_at bigint NOT NULL)";
    database.execute_unprepared(table).await.unwrap();
    for name in names {
        let sql = format!("INSERT INTO seaql_migrations VALUES ('{name}', 1)");
        database.execute_unprepared(&sql).await.unwrap();
    }
}
