//! `installation`, the identity of the database: whose messages are ours, and whether the database is a copy of another.
//!
//! The migration makes it, with the server's system identifier and the database's oid beside it. A copy has other
//! values there. It must not go on under the identity of its original: on a shared Kafka the two would take each
//! other's tasks, and write verdicts on each other's sites.

use contract::installation::{Installation, NotAnInstallation};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, TryGetable};

use crate::error::DatabaseError;
use crate::sql::{self, row, scalar};

/// What is recorded, and the oid that the database has. Nothing else of the table: its key is a secret.
const READ: &str = "\
SELECT installation.id::text, installation.system_identifier, installation.database_oid, pg_database.oid::bigint
FROM installation, pg_database WHERE pg_database.datname = current_database()";
/// Whether this role may ask for the server's system identifier.
const MAY_ASK: &str = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')";
/// The server's system identifier.
const ASK: &str = "SELECT system_identifier FROM pg_control_system()";
/// Records this server and this database.
const KEEP: &str = "\
UPDATE installation SET system_identifier = $1, database_oid = pg_database.oid::bigint
FROM pg_database WHERE pg_database.datname = current_database()";
/// The same under a new identity.
const RENEW: &str = "\
UPDATE installation SET id = gen_random_uuid(), key = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    system_identifier = $1, database_oid = pg_database.oid::bigint
FROM pg_database WHERE pg_database.datname = current_database()";
/// The same where the row is gone.
const MAKE: &str = "\
INSERT INTO installation (id, key, system_identifier, database_oid)
SELECT gen_random_uuid(), sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), $1, oid::bigint
FROM pg_database WHERE datname = current_database()";

/// One row, with a `name`, if the identity is missing.
pub const MISSING: &str =
    "SELECT 'installation' AS name WHERE NOT EXISTS (SELECT FROM installation)";

/// Whether there is a table for the identity.
pub const HAS_TABLE: &str = "SELECT to_regclass('installation') IS NOT NULL";

/// What is wrong with the identity of a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The row is missing.
    #[error("the table installation has no row; run `webmon identity new`")]
    Missing,
    /// The row cannot be understood.
    #[error("installation.id {id:?} is {cause}; run `webmon identity new`")]
    Nonsense {
        /// `installation.id`.
        id: String,
        /// Why.
        cause: NotAnInstallation,
    },
    /// The database is a copy, or was moved.
    #[error(
        "this database is not where its identity {installation} was made ({difference}): if it is the original \
         that was moved or restored, run `webmon identity keep`; if the original still exists elsewhere, run \
         `webmon identity new`"
    )]
    Copy {
        /// The identity that it came with.
        installation: Installation,
        /// What differs.
        difference: String,
    },
    /// Another identity than at the start.
    #[error(
        "the identity of the database has changed from {from} to {to}: this service ends, and has the new one \
         when it is started again"
    )]
    Changed {
        /// At the start.
        from: Installation,
        /// Now.
        to: Installation,
    },
    /// The database cannot be asked.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The identity of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `installation.id`, as `PostgreSQL` writes it.
    pub id: String,
    /// The same as messages name it.
    pub installation: Installation,
    /// What differs from the place where the identity was made; none means that it is no copy.
    pub difference: Option<String>,
}

impl Identity {
    /// Reads the identity of a database.
    pub async fn read(database: &DatabaseConnection) -> Result<Self, IdentityError> {
        let found = row(database, "read the identity of the database", READ).await?;
        let found = found.ok_or(IdentityError::Missing)?;
        let id: String = column(&found, 0)?;
        let installation = Installation::of_id(&id).map_err(|cause| IdentityError::Nonsense {
            id: id.clone(),
            cause,
        })?;
        let recorded = (column(&found, 1)?, column(&found, 2)?);
        let actual = (system_identifier(database).await?, column(&found, 3)?);
        Ok(Self {
            id,
            installation,
            difference: difference(recorded, actual),
        })
    }

    /// Refuses a copy.
    pub fn refuse_copy(self) -> Result<Self, IdentityError> {
        match self.difference {
            None => Ok(self),
            Some(difference) => Err(IdentityError::Copy {
                installation: self.installation,
                difference,
            }),
        }
    }

    /// Refuses a database that has another identity than this one by now.
    pub async fn refuse_change(&self, database: &DatabaseConnection) -> Result<(), IdentityError> {
        let now = Self::read(database).await?;
        if now.id == self.id {
            return Ok(());
        }
        Err(IdentityError::Changed {
            from: self.installation,
            to: now.installation,
        })
    }
}

/// Records that the identity belongs to this server and this database: the original was moved here.
pub async fn keep(database: &DatabaseConnection) -> Result<(), IdentityError> {
    match record(database, "keep the identity of the database", KEEP).await? {
        0 => Err(IdentityError::Missing),
        _ => Ok(()),
    }
}

/// Gives the database a new identity, and a new key: it is a copy.
pub async fn renew(database: &DatabaseConnection) -> Result<(), IdentityError> {
    let operation = "give the database a new identity";
    if record(database, operation, RENEW).await? == 0 {
        record(database, operation, MAKE).await?;
    }
    Ok(())
}

/// Runs a statement that records the server; returns how many rows it touched.
async fn record(
    database: &DatabaseConnection,
    operation: &'static str,
    text: &str,
) -> Result<u64, DatabaseError> {
    let statement = sql::statement(text, [system_identifier(database).await?.into()]);
    let done = database.execute_raw(statement).await;
    done.map(|done| done.rows_affected())
        .map_err(|source| DatabaseError::Query { operation, source })
}

/// The server's system identifier; none where this role may not ask for it.
async fn system_identifier(database: &DatabaseConnection) -> Result<Option<i64>, DatabaseError> {
    let operation = "ask for the server's system identifier";
    let may_ask: Option<bool> = scalar(database, operation, MAY_ASK).await?;
    if may_ask == Some(true) {
        scalar(database, operation, ASK).await
    } else {
        Ok(None)
    }
}

/// What differs between the place that is recorded and the actual one, each a server and a database. A server that
/// one of the two does not know says nothing.
fn difference(recorded: (Option<i64>, i64), actual: (Option<i64>, i64)) -> Option<String> {
    let servers = recorded.0.zip(actual.0);
    let parts = [
        servers
            .filter(|(then, now)| then != now)
            .map(|(then, now)| format!("system identifier {now}, recorded is {then}")),
        (recorded.1 != actual.1)
            .then(|| format!("database oid {}, recorded is {}", actual.1, recorded.1)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A column of the row.
fn column<T: TryGetable>(row: &sea_orm::QueryResult, index: usize) -> Result<T, DatabaseError> {
    row.try_get_by_index(index)
        .map_err(|source| DatabaseError::Query {
            operation: "read the identity of the database",
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_what_stands_elsewhere_as_far_as_that_is_known() {
        assert_eq!(difference((Some(7), 5), (Some(7), 5)), None);
        assert_eq!(difference((None, 5), (Some(7), 5)), None);
        assert_eq!(difference((Some(7), 5), (None, 5)), None);
        let restored = difference((Some(7), 5), (Some(-8), 6)).unwrap();
        assert_eq!(
            restored,
            "system identifier -8, recorded is 7, database oid 6, recorded is 5"
        );
        assert!(difference((None, 5), (None, 6)).is_some());
        assert!(difference((Some(7), 5), (Some(8), 5)).is_some());
    }
}
