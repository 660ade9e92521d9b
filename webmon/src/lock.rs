//! The lock on a database: one `webmon up` at a time.
//!
//! A session of its own holds an advisory lock. It is in no transaction, so that no time limit on idle
//! transactions ends it, and it asks the server something each second, so that no limit on idle sessions
//! does. A session ends all the same with a restart of the server, a failover, or a cut network. Then the
//! lock is taken again; where another webmon has taken it meanwhile, this one stops.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, bail, ensure, eyre};
use runtime::retry::{Backoff, Outage};
use runtime::telemetry::Condition;
use sea_orm::sqlx::{self, Connection as _, PgConnection};
use store::Pool;
use store::config::DatabaseConfig;
use store::session::{self, Session};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The condition that the lock is held.
pub const LOCK: &str = "lock";

/// How often the session asks whether the server still knows it.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take: a session without one is given up.
const LIMIT: Duration = Duration::from_secs(5);
/// The first wait before the lock is tried again, while the server does not answer.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long the end of the session may take; the server notices it in any case.
const LEAVE: Duration = Duration::from_secs(1);

/// The session. A server that hears nothing from this host ends it within half a minute, or the lock of a
/// host that is gone would keep its successor out for two hours.
const POOL: Pool = Pool {
    name: "webmon-lock",
    connections: 1,
    settings: &[
        ("idle_session_timeout", "0"),
        ("statement_timeout", "0"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "25s"),
    ],
};

/// The lock on a database, held by a session of its own.
#[derive(Debug)]
pub struct DatabaseLock {
    /// Where the database is.
    config: DatabaseConfig,
    /// The session that holds the lock; none while it is lost.
    connection: Option<PgConnection>,
    /// Which one it is, or was.
    session: Session,
}

/// What became of an attempt.
enum Attempt {
    /// The lock is taken, by this session.
    Taken(PgConnection, Session),
    /// The session of this process has it.
    Held(i32),
}

impl DatabaseLock {
    /// Takes the lock; an error if another `webmon up` has it.
    pub async fn take(config: &DatabaseConfig) -> Result<Self> {
        match Box::pin(attempt(config, None)).await? {
            Attempt::Taken(connection, session) => Ok(Self {
                config: config.clone(),
                connection: Some(connection),
                session,
            }),
            Attempt::Held(holder) => bail!(
                "another webmon up runs on this database (process {holder} of PostgreSQL holds its lock): stop it, or \
                 set another database.url"
            ),
        }
    }

    /// Does `work` while the lock is held, and then lets go of it. `held` says whether it is. Where another
    /// webmon takes it, `stop` is cancelled, `work` is awaited, and the error says so.
    pub async fn hold(
        mut self,
        held: Condition,
        stop: &CancellationToken,
        work: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let done = CancellationToken::new();
        let keeping = async {
            let kept = self.keep(&held, &done).await;
            if kept.is_err() {
                held.set(false);
                stop.cancel();
            }
            kept
        };
        let working = async {
            let worked = work.await;
            done.cancel();
            worked
        };
        held.set(true);
        let (kept, worked) = tokio::join!(keeping, working);
        held.set(false);
        if let Some(connection) = self.connection {
            // The server has ended the session already, or does so when the connection ends.
            drop(timeout(LEAVE, connection.close()).await);
        }
        kept.and(worked)
    }

    /// Keeps the lock until `done`; an error if that cannot be.
    async fn keep(&mut self, held: &Condition, done: &CancellationToken) -> Result<()> {
        let keeping = async {
            loop {
                let cause = self.lost().await?;
                held.set(false);
                drop(self.connection.take());
                warn!(cause, "the lock on the database is lost: taking it again");
                self.take_again(&cause).await?;
                held.set(true);
                info!("the lock on the database is taken again");
            }
        };
        done.run_until_cancelled(keeping).await.unwrap_or(Ok(()))
    }

    /// Waits until the session is lost; returns the cause.
    async fn lost(&mut self) -> Result<String> {
        let Some(connection) = &mut self.connection else {
            return Ok("it was never taken".to_owned());
        };
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asking = session::process(connection);
            match timeout(LIMIT, asking).await {
                Ok(Ok(pid)) if pid == self.session.pid => {}
                Ok(Ok(pid)) => bail!(
                    "the lock on the database cannot be kept: process {pid} of PostgreSQL answers for the session \
                     of process {}. A pooler mixes the sessions: name PostgreSQL's own address in database.url, or \
                     let the pooler work in session mode",
                    self.session.pid
                ),
                Ok(Err(error)) => return Ok(cause_of(&error)),
                Err(_) => return Ok(format!("no answer within {LIMIT:?}")),
            }
        }
    }

    /// Takes the lock again as soon as the server answers.
    async fn take_again(&mut self, cause: &str) -> Result<()> {
        let mut outage = Outage::new("PostgreSQL, asked for the lock on the database,");
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            match Box::pin(attempt(&self.config, Some(self.session))).await {
                Ok(Attempt::Taken(connection, session)) => {
                    self.connection = Some(connection);
                    self.session = session;
                    outage.over();
                    return Ok(());
                }
                Ok(Attempt::Held(holder)) => bail!(
                    "another webmon up has taken the lock on the database (process {holder} of PostgreSQL holds it), \
                     after this one had lost it ({cause}): let one of them run, or set another database.url"
                ),
                Err(error) => outage.failed(&format!("{error:#}")),
            };
            sleep(backoff.next_wait()).await;
        }
    }
}

/// Tries to take the lock by a new session, once. `before` is the session that held it.
async fn attempt(config: &DatabaseConfig, before: Option<Session>) -> Result<Attempt> {
    let database = store::connect(config, POOL).await?;
    let pooled = database.get_postgres_connection_pool().acquire().await;
    let connection = pooled.wrap_err("connect to lock the database")?.detach();
    let trying = timeout(LIMIT, try_lock(connection, before)).await;
    trying
        .unwrap_or_else(|_| Err(eyre!("no answer within {LIMIT:?}")))
        .wrap_err("lock the database")
}

/// The same, by this session.
async fn try_lock(mut connection: PgConnection, before: Option<Session>) -> Result<Attempt> {
    let session = session::introduce(&mut connection).await?;
    if let Some(before) = before {
        let ended = session::end(&mut connection, before).await?;
        ensure!(
            ended != Some(false),
            "the lost session, process {} of PostgreSQL, does not end",
            before.pid
        );
    }
    if session::try_lock(&mut connection).await? {
        return Ok(Attempt::Taken(connection, session));
    }
    let holder = session::holder(&mut connection).await?;
    holder
        .map(Attempt::Held)
        .ok_or_else(|| eyre!("another session let go of it just now: try again"))
}

/// Why a question failed, without the preamble of the library.
fn cause_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(cause) => cause.message().to_owned(),
        sqlx::Error::Io(cause) => cause.to_string(),
        other => other.to_string(),
    }
}
