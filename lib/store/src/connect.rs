//! Pools of connections: opened at once, or patiently at the start of a service.

use std::sync::Arc;
use std::time::Duration;

use postgres_address::{
    Address, CONNECT_TIMEOUT, Environment, Failure, Server, attempt, refuse_shared_sessions,
};
use runtime::retry::{Backoff, Outage};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::{DatabaseConfig, KEY};
use crate::error::DatabaseError;

/// A connection that was idle this long is tried before it is lent out: a firewall may have forgotten it.
const IDLE_BEFORE_TEST: Duration = Duration::from_secs(15);

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
pub(crate) async fn connect_again(
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
