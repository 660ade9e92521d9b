//! What can go wrong with the database as a whole, and what its answers (SQLSTATE) mean.

use std::time::Duration;

use postgres_address::{Address, AddressError, Environment, Failure, Server, sqlstate};
use sea_orm::{DbErr, RuntimeErr};

use crate::config::{DatabaseConfig, KEY};

/// What can go wrong with the database as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// `database.url` is none that can be used.
    #[error("{KEY}: {0}")]
    Address(#[from] AddressError),
    /// No connection.
    #[error("cannot reach PostgreSQL at {server}: {failure}")]
    Connect {
        /// `host:port/name`.
        server: String,
        /// Why, and what to do.
        failure: Failure,
    },
    /// No connection for as long as patience lasted.
    #[error(
        "cannot reach PostgreSQL at {server} within {}: {failure}",
        humantime::format_duration(*.patience)
    )]
    Unreachable {
        /// `host:port/name`.
        server: String,
        /// How long it was tried.
        patience: Duration,
        /// Why the last attempt failed, and what to do.
        failure: Failure,
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
    /// The role may not even ask for the schema.
    #[error(
        "{operation}: {cause}; grant the role what it needs: run `migration grant` as the database's owner"
    )]
    NoRight {
        /// What was asked.
        operation: &'static str,
        /// What the database says.
        cause: String,
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

/// The error of a statement, by its kind.
pub(crate) fn refused(operation: &'static str, source: DbErr) -> DatabaseError {
    let DbErr::Query(RuntimeErr::SqlxError(error)) = &source else {
        return DatabaseError::Query { operation, source };
    };
    match error.as_database_error() {
        Some(error) if error.code().as_deref() == Some(sqlstate::INSUFFICIENT_PRIVILEGE) => {
            let cause = error.message().to_owned();
            DatabaseError::NoRight { operation, cause }
        }
        _ => DatabaseError::Query { operation, source },
    }
}

/// Why a statement has failed, with the remedy where a right or a pooler is the cause.
pub fn explain(config: &DatabaseConfig, error: &DbErr) -> String {
    let options = Address::parse(config.url.expose())
        .and_then(|address| address.options(&Environment::of_process()));
    match options {
        Ok(options) => Server::of(&options).explain(error, KEY),
        Err(_) => error.to_string(),
    }
}
