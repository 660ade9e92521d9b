//! One connection, so that a wrong address shows at once: a pool would try again by itself and hide why.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use crate::failure::{Failure, Server};

/// How long opening a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long is looked for a pooler. One whose connections are all in use lets sessions wait.
const LOOK_LIMIT: Duration = Duration::from_secs(2);
/// How often two sessions are compared: another client may come between.
const LOOKS: usize = 3;
/// The process that serves a session. Of two servers behind one address two processes may have one number.
const PROCESS: &str = "SELECT pg_backend_pid() || ' ' || pg_postmaster_start_time()";

/// Makes one connection and closes it; `key` is what the address is called in messages.
pub async fn attempt(options: &PgConnectOptions, key: &str) -> Result<(), Failure> {
    let failed = |error: sqlx::Error| Server::of(options).failure(&error, key);
    let connection = timeout(CONNECT_TIMEOUT, options.connect())
        .await
        .map_err(|_| Failure {
            cause: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
            remedy: format!("check {key} and that the server runs"),
            lasting: false,
        })?
        .map_err(failed)?;
    connection.close().await.map_err(failed)
}

/// Fails if a pooler lends one connection of the server to several sessions, one transaction each.
///
/// webmon needs sessions: for prepared statements, for their settings (`jit`, time limits) and for locks.
/// Two sessions that are open at the same time and have the same process give such a pooler away. What
/// cannot be looked at is passed over: the real work will say why.
pub async fn refuse_shared_sessions(options: &PgConnectOptions, key: &str) -> Result<(), Failure> {
    let looked = timeout(LOOK_LIMIT, share_a_process(options)).await;
    if !matches!(looked, Ok(Ok(true))) {
        return Ok(());
    }
    Err(Failure {
        cause:
            "a pooler such as PgBouncer lends one connection to several sessions (its pool_mode is \
                transaction or statement)"
                .to_owned(),
        remedy: format!(
            "set `pool_mode = session` for this database, or name PostgreSQL's own address in {key}"
        ),
        lasting: true,
    })
}

/// Whether two sessions are served by one process.
async fn share_a_process(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut first = options.connect().await?;
    let mut second = options.connect().await?;
    let mut processes = HashSet::new();
    let mut others = HashSet::new();
    for _ in 0..LOOKS {
        processes.insert(process(&mut first).await?);
        others.insert(process(&mut second).await?);
    }
    first.close().await?;
    second.close().await?;
    Ok(!processes.is_disjoint(&others))
}

/// The process that serves a session. Asked without a prepared statement, which a pooler may refuse.
async fn process(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::raw_sql(PROCESS)
        .fetch_one(connection)
        .await?
        .try_get(0)
}
