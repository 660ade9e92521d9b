//! The commands that change a schema. They are done one at a time, and only to what is webmon's.
//!
//! A lock keeps a second one waiting. It belongs to a transaction beside those of the steps, because a pooler
//! between them and the database may give each transaction another session. So a pool of at least two
//! connections is needed.

use sea_orm_migration::MigratorTrait as _;
use sea_orm_migration::sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _,
};

use crate::things::{STEPS, Thing, Things};
use crate::{MigrationError, Migrator, State};

/// Takes the lock. Steps may take long, so nothing but their end takes it away.
const LOCK: &str = "
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL lock_timeout = 0;
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(hashtextextended('webmon migration', 0));
";

/// What a first migration does where others have their tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It refuses.
    Refuse,
    /// It makes its own tables beside them.
    Accept,
}

/// A command that loses data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// So many steps are taken back.
    Down(u32),
    /// All steps are taken back.
    Reset,
    /// All steps are taken back, then applied again.
    Refresh,
    /// Whatever there is of webmon is dropped, then all steps are applied.
    Fresh,
}

/// Applies so many of the steps that are pending, or all. What is complete is not touched at all.
pub async fn up(
    database: &DatabaseConnection,
    steps: Option<u32>,
    foreign: Foreign,
) -> Result<(), MigrationError> {
    if State::known(database).await?.is_complete() {
        tracing::info!("no migration is pending");
        return Ok(());
    }
    let lock = lock(database).await?;
    let state = State::known(database).await?;
    if state.is_complete() {
        tracing::info!("no migration is pending any more: another process has applied them");
        return unlock(lock).await;
    }
    if foreign == Foreign::Refuse && !state.is_webmons() {
        let things = read_things(database, &state).await?;
        if !things.foreign.is_empty() {
            return Err(MigrationError::NotEmpty {
                things: things.name_foreign(),
                database: state.database,
            });
        }
    }
    Migrator::up(database, steps)
        .await
        .map_err(MigrationError::query("apply the migrations"))?;
    unlock(lock).await
}

/// Does what loses data, if `yes` is the database's name and all that is in its schema is webmon's.
pub async fn lose(
    database: &DatabaseConnection,
    loss: Loss,
    yes: Option<&str>,
) -> Result<(), MigrationError> {
    let lock = lock(database).await?;
    let state = State::known(database).await?;
    let things = read_things(database, &state).await?;
    if !things.foreign.is_empty() {
        return Err(MigrationError::Shared {
            command: loss.command(),
            things: things.name_foreign(),
            database: state.database,
        });
    }
    if yes != Some(&*state.database) {
        return Err(MigrationError::NotConfirmed {
            command: loss.command(),
            loss: loss.what(),
            database: state.database,
        });
    }
    loss.apply(database, &things.own)
        .await
        .map_err(MigrationError::query("take migrations back"))?;
    unlock(lock).await
}

impl Loss {
    /// The command's name.
    const fn command(self) -> &'static str {
        match self {
            Self::Down(_) => "down",
            Self::Reset => "reset",
            Self::Refresh => "refresh",
            Self::Fresh => "fresh",
        }
    }

    /// What it loses.
    const fn what(self) -> &'static str {
        match self {
            Self::Down(_) => "what the steps hold that it takes back",
            Self::Reset | Self::Refresh | Self::Fresh => "all sites and all results",
        }
    }

    /// Does it. All that is lost is lost at once, or nothing is.
    async fn apply(self, database: &DatabaseConnection, own: &[Thing]) -> Result<(), DbErr> {
        let transaction = database.begin().await?;
        match self {
            Self::Down(steps) => Migrator::down(&transaction, Some(steps)).await?,
            Self::Reset | Self::Refresh => {
                Migrator::down(&transaction, None).await?;
                let drop_steps = format!("DROP TABLE IF EXISTS {STEPS}");
                transaction.execute_unprepared(&drop_steps).await?;
            }
            Self::Fresh => drop_all(&transaction, own).await?,
        }
        transaction.commit().await?;
        match self {
            Self::Refresh | Self::Fresh => Migrator::up(database, None).await,
            Self::Down(_) | Self::Reset => Ok(()),
        }
    }
}

/// Drops these things; what elsewhere depends on them keeps them.
async fn drop_all(transaction: &DatabaseTransaction, things: &[Thing]) -> Result<(), DbErr> {
    // Tables use the types, and their triggers the functions.
    for kind in ["table", "function", "type"] {
        let of_kind = things.iter().filter(|thing| thing.kind == kind);
        let names: Vec<_> = of_kind.map(|thing| thing.identity.as_str()).collect();
        if !names.is_empty() {
            let drop_them = format!("DROP {kind} {}", names.join(", "));
            transaction.execute_unprepared(&drop_them).await?;
        }
    }
    Ok(())
}

/// Waits until no other command changes the schema, and keeps others waiting.
pub(crate) async fn lock(
    database: &DatabaseConnection,
) -> Result<DatabaseTransaction, MigrationError> {
    let locking = "lock the schema against other migrations";
    let transaction = database.begin().await;
    let transaction = transaction.map_err(MigrationError::query(locking))?;
    let locked = transaction.execute_unprepared(LOCK).await;
    locked.map_err(MigrationError::query(locking))?;
    Ok(transaction)
}

/// Lets others go on.
pub(crate) async fn unlock(lock: DatabaseTransaction) -> Result<(), MigrationError> {
    let ended = lock.commit().await;
    ended.map_err(MigrationError::query("unlock the schema"))
}

/// Reads what the schema holds.
async fn read_things(
    database: &DatabaseConnection,
    state: &State,
) -> Result<Things, MigrationError> {
    let things = Things::read(database, &state.applied).await;
    things.map_err(MigrationError::query("look at what the schema holds"))
}
