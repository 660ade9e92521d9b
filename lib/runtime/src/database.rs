//! How a service reaches `PostgreSQL`: connection pools, patience at start, and the schema's version.

use std::sync::Arc;
use std::time::Duration;

use postgres_address::{
    Address, AddressError, CONNECT_TIMEOUT, Environment, Failure, Server, attempt,
    refuse_shared_sessions,
};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, QueryResult, RuntimeErr,
    Statement,
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::DatabaseConfig;
use crate::retry::{Backoff, Outage};

/// What the address is called in messages.
const KEY: &str = "database.url";

/// A connection that was idle this long is tried before it is lent out: a firewall may have forgotten it.
const IDLE_BEFORE_TEST: Duration = Duration::from_secs(15);

/// The SQLSTATE of a statement that the role may not run.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// Settings of the sessions of a command that only reads, whatever its role may do.
pub const READ_ONLY: &[(&str, &str)] = &[("default_transaction_read_only", "on")];

/// A set of connections for one purpose.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// `application_name`, as `pg_stat_activity` shows it.
    pub name: &'static str,
    /// How many connections at most.
    pub connections: u32,
    /// Settings of every session, such as `("jit", "off")`.
    pub settings: &'static [(&'static str, &'static str)],
}

/// What can go wrong with the database as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// `database.url` is none that can be used.
    #[error("{KEY}: {0}")]
    Address(#[from] AddressError),
    /// No connection.
    #[error("cannot reach PostgreSQL at {server}: {failure}")]
    Connect {
        /// `host:port/name`.
        server: String,
        /// Why, and what to do.
        failure: Failure,
    },
    /// No connection for as long as patience lasted.
    #[error(
        "cannot reach PostgreSQL at {server} within {}: {failure}",
        humantime::format_duration(*.patience)
    )]
    Unreachable {
        /// `host:port/name`.
        server: String,
        /// How long it was tried.
        patience: Duration,
        /// Why the last attempt failed, and what to do.
        failure: Failure,
    },
    /// The service was stopped while it waited for the database.
    #[error("stopped while waiting for PostgreSQL at {server}")]
    Stopped {
        /// `host:port/name`.
        server: String,
    },
    /// The schema is missing or older than this build.
    #[error("the database's schema is {}, this build needs {needed}; run `migration up`", .found.as_deref().unwrap_or("missing"))]
    SchemaBehind {
        /// The last migration that was applied, if any.
        found: Option<String>,
        /// The last migration that this build knows.
        needed: &'static str,
    },
    /// The schema is newer than this build.
    #[error("the database's schema is {found}, this build knows only {known}; upgrade webmon")]
    SchemaAhead {
        /// The last migration that was applied.
        found: String,
        /// The last migration that this build knows.
        known: &'static str,
    },
    /// The database takes no changes.
    #[error("the database takes no changes: {why}")]
    ReadOnly {
        /// Why, and what would help.
        why: &'static str,
    },
    /// The role may not even ask for the schema.
    #[error(
        "{operation}: {cause}; grant the role what it needs: run `migration grant` as the database's owner"
    )]
    NoRight {
        /// What was asked.
        operation: &'static str,
        /// What the database says.
        cause: String,
    },
    /// A statement took too long.
    #[error("{operation}: no answer from PostgreSQL within {}", humantime::format_duration(*.limit))]
    TimedOut {
        /// What was asked.
        operation: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A statement failed.
    #[error("{operation}: {source}")]
    Query {
        /// What was asked.
        operation: &'static str,
        /// Why it failed.
        source: DbErr,
    },
}

/// Connections that are made when they are needed, and made anew after a failure.
///
/// A connection that did not answer in time may never do so (a firewall has forgotten it); a pool would
/// lend it out again.
#[derive(Debug)]
pub struct Link {
    /// Where the database is.
    config: DatabaseConfig,
    /// What the connections are like.
    pool: Pool,
    /// The connections; none before the first use and after a failure.
    open: Option<DatabaseConnection>,
}

impl Link {
    /// A link that is not connected yet.
    pub const fn new(config: DatabaseConfig, pool: Pool) -> Self {
        Self {
            config,
            pool,
            open: None,
        }
    }

    /// A link that has its connections already.
    pub const fn over(open: DatabaseConnection, config: DatabaseConfig, pool: Pool) -> Self {
        Self {
            config,
            pool,
            open: Some(open),
        }
    }

    /// The connections, which are made if there are none.
    pub async fn get(&mut self) -> Result<&DatabaseConnection, DatabaseError> {
        Ok(match &mut self.open {
            Some(open) => open,
            // On the heap: connecting is rare, and takes much room in whoever waits for it.
            none => none.insert(Box::pin(connect_again(&self.config, self.pool)).await?),
        })
    }

    /// Drops the connections, without waiting for a database that may not answer.
    pub fn cut(&mut self) {
        drop(self.open.take());
    }
}

/// Opens a pool; one connection is made first, so that a wrong address or password shows at once. So does
/// a pooler that does not lend whole sessions.
pub async fn connect(
    config: &DatabaseConfig,
    pool: Pool,
) -> Result<DatabaseConnection, DatabaseError> {
    let options = session_options(config, pool)?;
    let looked = async {
        attempt(&options, KEY).await?;
        refuse_shared_sessions(&options, KEY).await
    };
    let failed = |failure| connect_error(&options, failure);
    looked.await.map_err(failed)?;
    open(options, pool).await
}

/// Opens the pool of a service that has reached the database before.
async fn connect_again(
    config: &DatabaseConfig,
    pool: Pool,
) -> Result<DatabaseConnection, DatabaseError> {
    let options = session_options(config, pool)?;
    let failed = |failure| connect_error(&options, failure);
    attempt(&options, KEY).await.map_err(failed)?;
    open(options, pool).await
}

/// There is no connection.
fn connect_error(options: &PgConnectOptions, failure: Failure) -> DatabaseError {
    DatabaseError::Connect {
        server: Server::of(options).to_string(),
        failure,
    }
}

/// Opens a pool once the database answers, trying again for as long as `patience` lasts.
///
/// Logs once per change of state; the error names the server and the last cause, never the password.
pub async fn connect_patiently(
    config: &DatabaseConfig,
    pool: Pool,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<DatabaseConnection, DatabaseError> {
    let options = session_options(config, pool)?;
    let server = Server::of(&options).to_string();
    let waiting = wait_for(&options, &server, patience);
    match stop.run_until_cancelled(waiting).await {
        Some(reached) => reached?,
        None => return Err(DatabaseError::Stopped { server }),
    }
    open(options, pool).await
}

/// Waits until the database answers, and looks whether it lends whole sessions.
async fn wait_for(
    options: &PgConnectOptions,
    server: &str,
    patience: Duration,
) -> Result<(), DatabaseError> {
    let deadline = Instant::now() + patience;
    let mut outage = Outage::new(format!("PostgreSQL at {server}"));
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    let mut last = Failure {
        cause: "no answer".to_owned(),
        remedy: format!("check {KEY} and that the server runs"),
        lasting: false,
    };
    loop {
        match timeout_at(deadline, attempt(options, KEY)).await {
            Ok(Ok(())) => break,
            Ok(Err(failure)) if failure.lasting => return Err(connect_error(options, failure)),
            Ok(Err(failure)) => {
                outage.failed(&failure.to_string());
                last = failure;
            }
            Err(_) => {}
        }
        let left = deadline.saturating_duration_since(Instant::now());
        sleep(backoff.next_wait().min(left)).await;
        if Instant::now() >= deadline {
            return Err(DatabaseError::Unreachable {
                server: server.to_owned(),
                patience,
                failure: last,
            });
        }
    }
    outage.over();
    let looked = refuse_shared_sessions(options, KEY).await;
    looked.map_err(|failure| connect_error(options, failure))
}

/// Compares the last applied migration with the one that this build was made for.
pub async fn check_schema(database: &DatabaseConnection) -> Result<(), DatabaseError> {
    let needed = contract::SCHEMA_VERSION;
    match last_migration(database).await? {
        Some(found) if found == needed => Ok(()),
        // The names carry date and number, so they sort as they were made.
        Some(found) if found.as_str() > needed => Err(DatabaseError::SchemaAhead {
            found,
            known: needed,
        }),
        found => Err(DatabaseError::SchemaBehind { found, needed }),
    }
}

/// The name of the last applied migration; nothing if there is none, or not even the table.
async fn last_migration(database: &DatabaseConnection) -> Result<Option<String>, DatabaseError> {
    let table = "SELECT to_regclass('seaql_migrations') IS NOT NULL";
    if !scalar(database, "look for the table of migrations", table)
        .await?
        .unwrap_or(false)
    {
        return Ok(None);
    }
    let last = "SELECT max(version) FROM seaql_migrations";
    Ok(scalar(database, "read the last migration", last)
        .await?
        .flatten())
}

/// The first column of the only row of a statement, waited for as long as for a connection.
pub(crate) async fn scalar<T: sea_orm::TryGetable>(
    database: &DatabaseConnection,
    operation: &'static str,
    sql: impl Into<String>,
) -> Result<Option<T>, DatabaseError> {
    let row = row(database, operation, sql).await?;
    row.map(|row| row.try_get_by_index(0))
        .transpose()
        .map_err(|source| DatabaseError::Query { operation, source })
}

/// The only row of a statement, waited for as long as for a connection.
pub(crate) async fn row(
    database: &DatabaseConnection,
    operation: &'static str,
    sql: impl Into<String>,
) -> Result<Option<QueryResult>, DatabaseError> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let limit = CONNECT_TIMEOUT;
    timeout(limit, database.query_one_raw(statement))
        .await
        .map_err(|_| DatabaseError::TimedOut { operation, limit })?
        .map_err(|source| refused(operation, source))
}

/// The error of a statement, by its kind.
fn refused(operation: &'static str, source: DbErr) -> DatabaseError {
    let DbErr::Query(RuntimeErr::SqlxError(error)) = &source else {
        return DatabaseError::Query { operation, source };
    };
    match error.as_database_error() {
        Some(error) if error.code().as_deref() == Some(INSUFFICIENT_PRIVILEGE) => {
            let cause = error.message().to_owned();
            DatabaseError::NoRight { operation, cause }
        }
        _ => DatabaseError::Query { operation, source },
    }
}

/// Why a statement has failed, with the remedy where a right or a pooler is the cause.
pub fn explain(config: &DatabaseConfig, error: &DbErr) -> String {
    let options = Address::parse(config.url.expose())
        .and_then(|address| address.options(&Environment::of_process()));
    match options {
        Ok(options) => Server::of(&options).explain(error, KEY),
        Err(_) => error.to_string(),
    }
}

/// Where every session of a pool goes, and by what name.
fn session_options(config: &DatabaseConfig, pool: Pool) -> Result<PgConnectOptions, DatabaseError> {
    let address = Address::parse(config.url.expose())?;
    let options = address.options(&Environment::of_process())?;
    Ok(options
        .application_name(pool.name)
        // sqlx would log every statement with its values.
        .disable_statement_logging())
}

/// The statement that gives a session the settings of its pool, if there are any.
///
/// They are not sent with the session's start, as `options`: a pooler would refuse or forget them.
fn settings(pool: Pool) -> Option<Arc<str>> {
    let setting = |(name, value): &(&str, &str)| format!("SET {name} = '{value}'");
    let statements: Vec<String> = pool.settings.iter().map(setting).collect();
    (!statements.is_empty()).then(|| statements.join("; ").into())
}

/// Opens the pool itself, whose connections are made as they are needed.
async fn open(options: PgConnectOptions, pool: Pool) -> Result<DatabaseConnection, DatabaseError> {
    let server = Server::of(&options);
    // The address stays out of these options: they print themselves into spans, password and all. The
    // password that stands here keeps sqlx from reading the password file, whose bad lines it would log.
    let mut connect = ConnectOptions::new("postgres://none:none@none");
    connect
        .max_connections(pool.connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .test_before_acquire_if_idle_for(IDLE_BEFORE_TEST)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_lazy(true)
        .map_sqlx_postgres_opts(move |_| options.clone());
    if let Some(settings) = settings(pool) {
        connect.map_sqlx_postgres_pool_opts(move |pool| {
            let settings = Arc::clone(&settings);
            pool.after_connect(move |connection, _| {
                let settings = Arc::clone(&settings);
                Box::pin(async move {
                    let settings = sqlx::AssertSqlSafe(settings.to_string());
                    sqlx::raw_sql(settings).execute(connection).await?;
                    Ok(())
                })
            })
        });
    }
    Database::connect(connect)
        .await
        .map_err(|error| DatabaseError::Connect {
            failure: Failure {
                cause: error.to_string(),
                remedy: format!("check {KEY} and that the server runs"),
                lasting: false,
            },
            server: server.to_string(),
        })
}
