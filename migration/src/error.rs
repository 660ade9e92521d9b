//! What a command of `migration` refuses, and what to do about it.

use sea_orm_migration::sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Why a command did not do what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer build has brought the schema further.
    #[error("the database's schema is {found}, this build knows only {known}; upgrade webmon")]
    Newer {
        /// The last step that was applied.
        found: String,
        /// The last step that this build knows.
        known: String,
    },
    /// The table of steps lists none of webmon's.
    #[error(
        "the table seaql_migrations of the database {database} belongs to another application: it lists {found}; \
         give webmon a database of its own"
    )]
    AnotherApplication {
        /// The database.
        database: String,
        /// A step of the other application.
        found: String,
    },
    /// The first migration would put its tables among those of others.
    #[error(
        "the database {database} holds what is not webmon's ({things}); give webmon a database of its own, \
         or run `migration up --yes` to put its tables beside them"
    )]
    NotEmpty {
        /// The database.
        database: String,
        /// What is there, named as far as it is little.
        things: String,
    },
    /// Data would be lost beside which others keep theirs.
    #[error(
        "`migration {command}` drops nothing here: the database {database} also holds what is not webmon's ({things}); \
         move that elsewhere first, or drop webmon's tables by hand"
    )]
    Shared {
        /// The command.
        command: &'static str,
        /// The database.
        database: String,
        /// What is there, named as far as it is little.
        things: String,
    },
    /// Data would be lost, and the database was not named.
    #[error(
        "`migration {command}` loses {loss} of the database {database}: add `--yes {database}` to do it"
    )]
    NotConfirmed {
        /// The command.
        command: &'static str,
        /// What would be lost.
        loss: &'static str,
        /// The database.
        database: String,
    },
    /// No schema of the search path exists, or may be used.
    #[error(
        "the database {database} has no schema that this role may use: \
         make the schema that `search_path` names, or GRANT USAGE on it"
    )]
    NoSchema {
        /// The database.
        database: String,
    },
    /// Rights on what is not there yet.
    #[error("the schema is not this build's yet: run `migration up` first, then `migration grant`")]
    Incomplete,
    /// Roles are missing that this role may not make.
    #[error(
        "the roles are not there yet, and this role may not make them: run as a superuser `{sql}`, then `migration grant` once more"
    )]
    NeedsSuperuser {
        /// What a superuser is to run.
        sql: String,
    },
    /// Rights are given by the owner.
    #[error(
        "this role may grant nothing here: run `migration grant` as the tables' owner, {owner}, or as a superuser"
    )]
    NotTheOwner {
        /// The owner.
        owner: String,
    },
    /// A statement failed.
    #[error("cannot {operation}: {}", plain(.cause))]
    Query {
        /// What was asked.
        operation: &'static str,
        /// Why it failed.
        cause: DbErr,
    },
}

impl MigrationError {
    /// The error of a statement that did this.
    pub(crate) const fn query(operation: &'static str) -> impl FnOnce(DbErr) -> Self {
        move |cause| Self::Query { operation, cause }
    }

    /// The message, in which `explain` says why a statement failed.
    pub fn explained(&self, explain: impl FnOnce(&DbErr) -> String) -> String {
        match self {
            Self::Query { operation, cause } => format!("cannot {operation}: {}", explain(cause)),
            other => other.to_string(),
        }
    }

    /// Whether the command line is at fault, rather than the database.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::NotConfirmed { .. })
    }
}

/// What the database says, without the preambles of two libraries.
fn plain(error: &DbErr) -> String {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match &**error {
                SqlxError::Database(error) => error.message().to_owned(),
                error => error.to_string(),
            }
        }
        error => error.to_string(),
    }
}
