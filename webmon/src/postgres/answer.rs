//! What the server answers over its socket: that it is ready, and whose it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{self, Report, WrapErr as _, bail, eyre};
use postgres_address::{Address, Environment, sqlstate};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::{Instant, timeout};

use super::location::{DATABASE, url};
use super::postmaster::Postmaster;

/// The database that every server has.
const FIRST_DATABASE: &str = "postgres";

/// How long a server may take until it is ready, recovery after a crash included.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// How long one question may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// How often a server that is not ready is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// How often the log says what is waited for.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// How the wait for a server ended.
#[derive(Debug)]
pub(super) enum Ready {
    /// It answers on the socket in this folder.
    On(PathBuf),
    /// Its process has ended.
    Never,
}

/// Why a server could not be asked.
enum Unanswered {
    /// It is not ready, for the reason given: to be asked again.
    NotYet(String),
    /// It answered that there is no such database.
    NoDatabase,
    /// It never will.
    Failed(Report),
}

/// Waits until the server is ready and has webmon's database.
pub(super) async fn wait(server: &mut Postmaster) -> eyre::Result<Ready> {
    let started = Instant::now();
    let mut told = started;
    while !server.has_ended()? {
        let reason = match server.socket()? {
            None => "it has no socket yet".to_owned(),
            Some(socket) => match ask(&socket, server).await {
                Ok(()) => return Ok(Ready::On(socket)),
                Err(Unanswered::NoDatabase) => {
                    create_database(&socket).await?;
                    continue;
                }
                Err(Unanswered::NotYet(reason)) => reason,
                Err(Unanswered::Failed(report)) => return Err(report),
            },
        };
        if started.elapsed() > READY_DEADLINE {
            bail!(
                "PostgreSQL, process {}, is not ready after {READY_DEADLINE:?}: {reason}. It goes on, \
                 and the next start waits for it again",
                server.pid()
            );
        }
        if told.elapsed() > TELL_AGAIN {
            told = Instant::now();
            tracing::info!(
                postgres.pid = server.pid(),
                "waiting for PostgreSQL: {reason}"
            );
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Ok(Ready::Never)
}

/// Fails unless `server` is what answers on the socket in `folder`.
pub(super) async fn confirm(folder: &Path, server: &Postmaster) -> eyre::Result<()> {
    ask(folder, server)
        .await
        .map_err(|unanswered| match unanswered {
            Unanswered::Failed(report) => report,
            Unanswered::NotYet(reason) => eyre!("it does not answer: {reason}"),
            Unanswered::NoDatabase => eyre!("its database {DATABASE} is gone"),
        })
}

/// Asks who answers on the socket in `folder`: it must be `server`.
async fn ask(folder: &Path, server: &Postmaster) -> Result<(), Unanswered> {
    let (cluster, pid) = timeout(ANSWER_DEADLINE, introduce(folder))
        .await
        .map_err(|_| Unanswered::NotYet("it does not answer".to_owned()))?
        .map_err(Unanswered::from)?;
    // Of a data folder that was copied while its server ran, the copy names the same socket.
    let same = Path::new(&cluster) == server.cluster() && pid.trim() == server.pid().to_string();
    if same {
        return Ok(());
    }
    Err(Unanswered::Failed(eyre!(
        "on the socket in {} answers process {pid} with the data folder {cluster}, not process {} \
         with {}: stop one of them",
        folder.display(),
        server.pid(),
        server.cluster().display()
    )))
}

/// The data folder and the process id of the server on the socket in `folder`, as it says itself.
async fn introduce(folder: &Path) -> Result<(String, String), sqlx::Error> {
    let mut connection = open(folder, DATABASE).await?;
    let whose = sqlx::query_as(
        "SELECT current_setting('data_directory'), split_part(pg_read_file('postmaster.pid'), E'\\n', 1)",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(whose)
}

/// Connects to `database` on the server whose socket is in `folder`.
async fn open(folder: &Path, database: &str) -> Result<PgConnection, sqlx::Error> {
    Address::parse(&url(folder, database))
        .and_then(|address| address.options(&Environment::of_process()))
        .map_err(|error| sqlx::Error::Configuration(error.into()))?
        // To make or drop a database takes seconds on a slow disk, and that is no news.
        .disable_statement_logging()
        .connect()
        .await
}

/// Creates webmon's database, of which a server is without that has just been made.
async fn create_database(folder: &Path) -> eyre::Result<()> {
    administrate(folder, &[format!("CREATE DATABASE {DATABASE}")])
        .await
        .wrap_err_with(|| format!("cannot create the database {DATABASE}"))
}

/// Runs statements about databases, on the server whose socket is in `folder`.
pub(super) async fn administrate(folder: &Path, statements: &[String]) -> Result<(), sqlx::Error> {
    let mut connection = open(folder, FIRST_DATABASE).await?;
    for statement in statements {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.as_str()));
        statement.execute(&mut connection).await?;
    }
    connection.close().await
}

impl From<sqlx::Error> for Unanswered {
    fn from(error: sqlx::Error) -> Self {
        match (sqlstate::of(&error).as_deref(), &error) {
            (Some(sqlstate::NO_DATABASE), _) => Unanswered::NoDatabase,
            // Starting up, recovering, or shutting down; or all connections are in use.
            (
                Some(
                    sqlstate::ADMIN_SHUTDOWN
                    | sqlstate::CRASH_SHUTDOWN
                    | sqlstate::CANNOT_CONNECT_NOW
                    | sqlstate::TOO_MANY_CONNECTIONS,
                ),
                _,
            ) => Unanswered::NotYet(error.to_string()),
            (_, sqlx::Error::Io(cause)) if cause.kind() != ErrorKind::PermissionDenied => {
                Unanswered::NotYet(error.to_string())
            }
            _ => Unanswered::Failed(
                Report::new(error).wrap_err("webmon's own PostgreSQL cannot be used"),
            ),
        }
    }
}
