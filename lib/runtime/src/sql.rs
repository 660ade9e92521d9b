//! What every hand-written statement needs.

use std::time::Duration;

use sea_orm::{DbBackend, Statement, Value};

/// The only database that webmon speaks to.
pub const POSTGRES: DbBackend = DbBackend::Postgres;

/// A statement with its values.
pub fn statement<const N: usize>(text: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(POSTGRES, text, values)
}

/// Whole milliseconds of a duration.
pub fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}
