//! The schema: whether the database is at the version that this build was made for, and what the [catalog] says of it.

pub mod catalog;

use sea_orm::DatabaseConnection;

use crate::error::DatabaseError;
use crate::sql::scalar;

/// The last migration that this build knows; a database at any other is refused.
pub const SCHEMA_VERSION: &str = "m20261201_000007_proxy_reasons";

/// Compares the last applied migration with the one that this build was made for.
pub async fn check_schema(database: &DatabaseConnection) -> Result<(), DatabaseError> {
    let needed = SCHEMA_VERSION;
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
