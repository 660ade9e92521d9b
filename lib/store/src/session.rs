//! A session of the server, and the advisory lock of `webmon up` that one holds.
//!
//! A lock belongs to its session, so all of this runs on one connection, past sea-orm's pool.

use sea_orm::sqlx::{self, PgConnection, query_as, query_scalar};

/// Which session this is: its process, and when it began, in microseconds since the Unix epoch, as ids of
/// processes come again.
const INTRODUCE: &str = "\
SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid()";
/// Takes the lock unless another session has it.
const TAKE: &str = "SELECT pg_try_advisory_lock(hashtextextended('webmon up', 0))";
/// The process of the session that has the lock.
const HOLDER: &str = "\
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = hashtextextended('webmon up', 0)";
/// Ends this webmon's own lost session, of which the server has not noticed the end, and waits for that.
const END: &str = "\
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2";
/// Whether the server still knows the session, and which one it is.
const ASK: &str = "SELECT pg_backend_pid()";

/// A session of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its process.
    pub pid: i32,
    /// When it began, in microseconds since the Unix epoch.
    pub began_us: i64,
}

/// Asks which session this is.
pub async fn introduce(connection: &mut PgConnection) -> Result<Session, sqlx::Error> {
    let (pid, began_us) = query_as(INTRODUCE).fetch_one(connection).await?;
    Ok(Session { pid, began_us })
}

/// Asks for the process of this session.
pub async fn process(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    query_scalar(ASK).fetch_one(connection).await
}

/// Takes the lock unless another session has it: returns whether it is taken.
pub async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar(TAKE).fetch_one(connection).await
}

/// Asks for the process of the session that has the lock, if there is one.
pub async fn holder(connection: &mut PgConnection) -> Result<Option<i32>, sqlx::Error> {
    query_scalar(HOLDER).fetch_optional(connection).await
}

/// Ends a session of this role, if it is still there: returns whether it has ended.
pub async fn end(
    connection: &mut PgConnection,
    Session { pid, began_us }: Session,
) -> Result<Option<bool>, sqlx::Error> {
    let end = query_scalar(END).bind(pid).bind(began_us);
    end.fetch_optional(connection).await
}
