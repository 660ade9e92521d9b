//! What every hand-written statement needs.

use contract::instant::UnixMs;
use postgres_address::CONNECT_TIMEOUT;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, TryGetable,
    Value,
};
use tokio::time::timeout;

use crate::error::{DatabaseError, refused};

/// The only database that webmon speaks to.
pub const POSTGRES: DbBackend = DbBackend::Postgres;

/// For a transaction of statements that take longer to compile than to run.
pub const NO_JIT: &str = "SET LOCAL jit = off";

/// A statement with its values.
pub fn statement<const N: usize>(text: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(POSTGRES, text, values)
}

/// An instant that a statement returns in milliseconds since the Unix epoch.
pub fn instant(row: &QueryResult, prefix: &str, column: &str) -> Result<UnixMs, DbErr> {
    row.try_get(prefix, column).map(UnixMs)
}

/// The first column of the only row of a statement, waited for as long as for a connection.
pub(crate) async fn scalar<T: TryGetable>(
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
