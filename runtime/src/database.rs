//! How a service reaches `PostgreSQL`: connection pools, patience at start, and the schema's version.

use std::fmt;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, QueryResult, Statement,
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::DatabaseConfig;
use crate::retry::{Backoff, Outage};

/// How long opening a connection, or waiting for a free one, may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was idle this long is tried before it is lent out: a firewall may have forgotten it.
const IDLE_BEFORE_TEST: Duration = Duration::from_secs(15);

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
    /// `database.url` is not one.
    #[error(
        "database.url is no PostgreSQL address ({cause}); write postgres://user:password@host:port/name"
    )]
    Address {
        /// What the parser says; it does not quote the address.
        cause: String,
    },
    /// No connection.
    #[error(
        "cannot reach PostgreSQL at {server}: {cause}; check database.url and that the server runs"
    )]
    Connect {
        /// `host:port/name`.
        server: String,
        /// Why.
        cause: String,
    },
    /// No connection for as long as patience lasted.
    #[error(
        "cannot reach PostgreSQL at {server} within {}: {cause}; check database.url and that the server runs",
        humantime::format_duration(*.patience)
    )]
    Unreachable {
        /// `host:port/name`.
        server: String,
        /// How long it was tried.
        patience: Duration,
        /// Why the last attempt failed.
        cause: String,
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
            none => none.insert(Box::pin(connect(&self.config, self.pool)).await?),
        })
    }

    /// Drops the connections, without waiting for a database that may not answer.
    pub fn cut(&mut self) {
        drop(self.open.take());
    }
}

/// Opens a pool; one connection is made first, so that a wrong address or password shows at once.
pub async fn connect(
    config: &DatabaseConfig,
    pool: Pool,
) -> Result<DatabaseConnection, DatabaseError> {
    let options = session_options(config, pool)?;
    try_once(&options)
        .await
        .map_err(|cause| DatabaseError::Connect {
            server: Server(&options).to_string(),
            cause,
        })?;
    open(options, pool).await
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
    let server = Server(&options).to_string();
    let deadline = Instant::now() + patience;
    let mut outage = Outage::new(format!("PostgreSQL at {server}"));
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        let attempt = async {
            match timeout_at(deadline, try_once(&options)).await {
                Ok(Ok(())) => return true,
                Ok(Err(cause)) => outage.failed(&cause),
                Err(_) => false,
            };
            sleep(
                backoff
                    .next_wait()
                    .min(deadline.saturating_duration_since(Instant::now())),
            )
            .await;
            false
        };
        match stop.run_until_cancelled(attempt).await {
            Some(true) => break,
            Some(false) if Instant::now() < deadline => {}
            Some(false) => {
                let cause = outage.cause().unwrap_or("no answer").to_owned();
                return Err(DatabaseError::Unreachable {
                    server,
                    patience,
                    cause,
                });
            }
            None => return Err(DatabaseError::Stopped { server }),
        }
    }
    outage.over();
    open(options, pool).await
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
    sql: &'static str,
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
    sql: &'static str,
) -> Result<Option<QueryResult>, DatabaseError> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let limit = CONNECT_TIMEOUT;
    timeout(limit, database.query_one_raw(statement))
        .await
        .map_err(|_| DatabaseError::TimedOut { operation, limit })?
        .map_err(|source| DatabaseError::Query { operation, source })
}

/// What every session of a pool has in common.
fn session_options(config: &DatabaseConfig, pool: Pool) -> Result<PgConnectOptions, DatabaseError> {
    let options: PgConnectOptions = config.url.expose().parse().map_err(|error: sqlx::Error| {
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        DatabaseError::Address { cause }
    })?;
    Ok(options
        .application_name(pool.name)
        .options(pool.settings.iter().copied())
        // sqlx would log every statement with its values.
        .disable_statement_logging())
}

/// Makes one connection and closes it. A pool would try again by itself and hide the cause.
async fn try_once(options: &PgConnectOptions) -> Result<(), String> {
    let connection = timeout(CONNECT_TIMEOUT, options.connect())
        .await
        .map_err(|_| "no answer within 5 s".to_owned())?
        .map_err(|error| plain_cause(&error))?;
    connection
        .close()
        .await
        .map_err(|error| plain_cause(&error))
}

/// The cause without sqlx's preambles.
fn plain_cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(cause) => cause.to_string(),
        sqlx::Error::Tls(cause) => format!("TLS: {cause}"),
        sqlx::Error::Database(cause) => cause.message().to_owned(),
        other => other.to_string(),
    }
}

/// Opens the pool itself, whose connections are made as they are needed.
async fn open(options: PgConnectOptions, pool: Pool) -> Result<DatabaseConnection, DatabaseError> {
    let server = Server(&options).to_string();
    // The address stays out of these options: they print themselves into spans, password and all.
    let mut connect = ConnectOptions::new("postgres://");
    connect
        .max_connections(pool.connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .test_before_acquire_if_idle_for(IDLE_BEFORE_TEST)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_lazy(true)
        .map_sqlx_postgres_opts(move |_| options.clone());
    Database::connect(connect)
        .await
        .map_err(|error| DatabaseError::Connect {
            server,
            cause: error.to_string(),
        })
}

/// `host:port/name` of a server, or its socket: what people need to recognise it, and no secret.
struct Server<'a>(&'a PgConnectOptions);

impl fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.0;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}:{}", options.get_host(), options.get_port())?,
        }
        write!(
            f,
            "/{}",
            options
                .get_database()
                .unwrap_or_else(|| options.get_username())
        )
    }
}
