//! How far a database has come: the steps that were applied. Asking changes nothing, and needs no right to.

use sea_orm_migration::MigratorTrait as _;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use crate::{MigrationError, Migrator};

/// Where a connection is, and whether there is a table of steps.
const PLACE: &str = "
    SELECT current_database()::text AS database, current_schema()::text AS schema,
        to_regclass(quote_ident(current_schema()) || '.seaql_migrations') IS NOT NULL AS is_there";

/// The steps, oldest first.
const APPLIED: &str = "SELECT version FROM seaql_migrations ORDER BY version";

/// Which steps were applied to a database.
#[derive(Debug)]
pub struct State {
    /// The database's name.
    pub(crate) database: String,
    /// The steps that were applied, oldest first.
    pub(crate) applied: Vec<String>,
}

/// A step, and whether it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Whether it was applied.
    pub is_applied: bool,
}

impl State {
    /// Asks a database. The error names what is missing; a schema that was never migrated is none.
    pub async fn read(database: &impl ConnectionTrait) -> Result<Self, MigrationError> {
        let backend = database.get_database_backend();
        let looking = "look for the table of migrations";
        let row = database
            .query_one_raw(Statement::from_string(backend, PLACE))
            .await
            .and_then(|row| row.ok_or_else(|| DbErr::RecordNotFound("no answer".to_owned())))
            .map_err(MigrationError::query(looking))?;
        let place = |row: &QueryResult| {
            Ok((
                row.try_get("", "database")?,
                row.try_get("", "schema")?,
                row.try_get("", "is_there")?,
            ))
        };
        let (name, schema, is_there): (String, Option<String>, bool) =
            place(&row).map_err(MigrationError::query(looking))?;
        if schema.is_none() {
            return Err(MigrationError::NoSchema { database: name });
        }
        let mut applied = Vec::new();
        if is_there {
            let rows = database
                .query_all_raw(Statement::from_string(backend, APPLIED))
                .await;
            let rows = rows.map_err(MigrationError::query("read the table of migrations"))?;
            let versions: Result<_, _> =
                rows.iter().map(|row| row.try_get("", "version")).collect();
            applied = versions.map_err(MigrationError::query("read the table of migrations"))?;
        }
        Ok(Self {
            database: name,
            applied,
        })
    }

    /// The same, of steps that this build knows: neither those of a newer one, nor of another application.
    pub async fn known(database: &impl ConnectionTrait) -> Result<Self, MigrationError> {
        let state = Self::read(database).await?;
        let steps = state.steps();
        let unknown = |version: &&String| !steps.iter().any(|step| step.name == **version);
        let Some(found) = state.applied.iter().rfind(unknown).cloned() else {
            return Ok(state);
        };
        if !state.is_webmons() {
            return Err(MigrationError::AnotherApplication {
                database: state.database,
                found,
            });
        }
        let known = steps.into_iter().next_back().map(|step| step.name);
        Err(MigrationError::Newer {
            found,
            known: known.unwrap_or_default(),
        })
    }

    /// Every step that this build knows, oldest first.
    pub fn steps(&self) -> Vec<Step> {
        let step = |name: &str| Step {
            is_applied: self.applied.iter().any(|applied| applied == name),
            name: name.to_owned(),
        };
        let all = Migrator::migrations();
        all.iter().map(|migration| step(migration.name())).collect()
    }

    /// Whether a step of webmon was applied.
    pub(crate) fn is_webmons(&self) -> bool {
        self.steps().iter().any(|step| step.is_applied)
    }

    /// Whether every step was applied.
    pub(crate) fn is_complete(&self) -> bool {
        self.steps().iter().all(|step| step.is_applied)
    }
}
