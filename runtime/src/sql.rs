//! What every hand-written statement needs.

use std::time::Duration;

use sea_orm::{
    DbBackend, Statement, Value,
    sea_query::{Nullable, ValueType},
};

/// The only database that webmon speaks to.
pub const POSTGRES: DbBackend = DbBackend::Postgres;

/// A statement with its values.
pub fn statement<const N: usize>(text: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(POSTGRES, text, values)
}

/// A `PostgreSQL` array in which some items are null.
pub fn array<T: Into<Value> + Nullable + ValueType>(
    items: impl Iterator<Item = Option<T>>,
) -> Value {
    Value::Array(
        T::array_type(),
        Some(Box::new(items.map(Value::from).collect())),
    )
}

/// Whole milliseconds of a duration.
pub fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}
