//! The SQLSTATEs that webmon knows: what `PostgreSQL` says beside the message of an error.
//!
//! They are listed in `PostgreSQL`'s manual, appendix A.

use std::borrow::Cow;

use sea_orm::sqlx;

/// The password is wrong, or missing.
pub const INVALID_PASSWORD: &str = "28P01";
/// `pg_hba.conf` or the server does not let this role in.
pub const INVALID_AUTHORIZATION: &str = "28000";
/// There is no database of this name.
pub const NO_DATABASE: &str = "3D000";
/// The role may not run the statement.
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// There is an object of this name, such as a role, already.
pub const DUPLICATE_OBJECT: &str = "42710";
/// A row breaks a unique index.
pub const UNIQUE_VIOLATION: &str = "23505";
/// A row breaks a check, or has no partition.
pub const CHECK_VIOLATION: &str = "23514";
/// All connections of the server, or of the role, are in use.
pub const TOO_MANY_CONNECTIONS: &str = "53300";
/// A lock was not free in time.
pub const LOCK_NOT_AVAILABLE: &str = "55P03";
/// The server is shutting down.
pub const ADMIN_SHUTDOWN: &str = "57P01";
/// The server has crashed, and recovers.
pub const CRASH_SHUTDOWN: &str = "57P02";
/// The server is starting up, or shutting down.
pub const CANNOT_CONNECT_NOW: &str = "57P03";

/// The SQLSTATE of an error, if it is the server's.
pub fn of(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Whether a row has no partition to go to. `PostgreSQL` has no SQLSTATE of its own for that: it is a check violation
/// that names no constraint.
pub fn is_missing_partition(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some(CHECK_VIOLATION)
            && error.message().starts_with("no partition")
    })
}

/// Whether the values of a statement are refused for good: they are out of range (class 22), or break a constraint
/// (class 23).
pub fn refuses_content(state: &str) -> bool {
    state.starts_with("22") || state.starts_with("23")
}
