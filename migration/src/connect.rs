//! How `migration` reaches the database: at once, or with the reason why not.

use std::ffi::OsString;
use std::time::Duration;

use clap::error::ErrorKind;

use postgres_address::{
    Address, AddressError, Environment, Failure, Server, attempt, refuse_shared_sessions,
};
use sea_orm_migration::sea_orm::sqlx::ConnectOptions as _;
use sea_orm_migration::sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

/// The variable that names the database.
pub(crate) const VARIABLE: &str = "DATABASE_URL";
/// The option that names the database.
pub(crate) const OPTION: &str = "--database-url";

/// How long a connection of the pool may take to open.
const CONNECT_TIMEOUT: Duration = postgres_address::CONNECT_TIMEOUT;

/// A database, and what its messages call it.
pub(crate) struct Target {
    /// The connection.
    pub(crate) database: DatabaseConnection,
    /// The server, for messages.
    server: Server,
    /// What the address is called: `DATABASE_URL`.
    key: &'static str,
}

/// Why the database cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// Its address is at fault.
    Address(String),
    /// It does not let us in.
    Unreachable(String),
}

impl Target {
    /// Connects once, so that a wrong address shows at once; a pool would wait and hide the cause.
    pub(crate) async fn reach(address: &str, key: &'static str) -> Result<Self, Unusable> {
        let wrong = |error: AddressError| Unusable::Address(format!("{key}: {error}"));
        let options = Address::parse(address)
            .and_then(|address| address.options(&Environment::of_process()))
            .map_err(wrong)?
            .application_name("webmon-migration")
            // sqlx would log every statement.
            .disable_statement_logging();
        let server = Server::of(&options);
        let failed = |failure: Failure| {
            Unusable::Unreachable(format!("cannot reach PostgreSQL at {server}: {failure}"))
        };
        attempt(&options, key).await.map_err(failed)?;
        refuse_shared_sessions(&options, key)
            .await
            .map_err(failed)?;
        // The address stays out of the pool's options: they print themselves into spans, password and all.
        let mut pool = ConnectOptions::new("postgres://none:none@none");
        pool.sqlx_logging(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .acquire_timeout(CONNECT_TIMEOUT)
            .map_sqlx_postgres_opts(move |_| options.clone());
        let database = Database::connect(pool).await;
        let database = database.map_err(|error| Unusable::Unreachable(error.to_string()))?;
        Ok(Self {
            database,
            server,
            key,
        })
    }

    /// Why a migration failed, and what to do.
    pub(crate) fn explain(&self, error: &DbErr) -> String {
        self.server.explain(error, self.key)
    }
}

/// Whether `error`, of the command line, would repeat an address that stands in the wrong place.
pub(crate) fn shows_an_address(
    error: &clap::Error,
    arguments: impl IntoIterator<Item = OsString>,
) -> bool {
    let harmless = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let is_address = |argument: OsString| argument.to_string_lossy().contains(['@', '/']);
    !harmless && arguments.into_iter().skip(1).any(is_address)
}
