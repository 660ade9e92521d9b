//! `webmon repair`: puts back what the database lacks and what can be computed from the rest of it.
//!
//! No row of people's is changed, and nothing is removed but what an interrupted statement left. Each repair is
//! a transaction of its own, and harmless beside running services. In order:
//!
//! 1. `schema`: indexes, constraints, triggers and functions, as a fresh database of this build has them.
//! 2. `tables`: the identity, days of results that are not attached or not there, rows of `schedule_shard`, and
//!    invalid indexes.

mod schema;
mod tables;

use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, ensure};
use runtime::program::say;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};
use store::installation;
use tracing::error;

/// `repair [--dry-run]`
#[derive(Args, Clone, Copy, Debug)]
pub struct RepairCommand {
    /// Say what would be repaired, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Something that the database lacks.
#[derive(Debug, PartialEq, Eq)]
struct Repair {
    /// What is done about it, as `create the index site_due`.
    what: String,
    /// How.
    action: Action,
}

/// How something is put back.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    /// By these statements, in one transaction.
    Together(Vec<String>),
    /// By a statement that cannot be part of a transaction.
    Alone(String),
    /// By a new identity.
    Identity,
    /// It cannot be computed.
    Impossible,
}

/// Looks for what is missing, and puts it back.
pub async fn repair(
    database: &DatabaseConnection,
    retention: Duration,
    command: RepairCommand,
) -> Result<()> {
    let mut tally = Tally {
        dry_run: command.dry_run,
        found: 0,
        failed: 0,
    };
    tally
        .apply(database, schema::missing(database).await?)
        .await?;
    tally
        .apply(database, tables::identity(database).await?)
        .await?;
    tally
        .apply(database, tables::half_detached(database).await?)
        .await?;
    tally
        .apply(database, tables::unattached(database, retention).await?)
        .await?;
    tally.apply(database, tables::days(database).await?).await?;
    tally
        .apply(database, tables::shards(database).await?)
        .await?;
    tally
        .apply(database, tables::indexes(database).await?)
        .await?;
    if tally.found == 0 {
        say("nothing to repair").wrap_err("write to standard output")?;
    }
    ensure!(
        tally.failed == 0,
        "{} of {} repairs were not made: the lines above say why",
        tally.failed,
        tally.found
    );
    Ok(())
}

/// What was found and done so far.
struct Tally {
    /// Nothing is changed.
    dry_run: bool,
    /// How much was missing.
    found: usize,
    /// How much of it is still.
    failed: usize,
}

impl Tally {
    /// Makes repairs, each by itself, and says so.
    async fn apply(&mut self, database: &DatabaseConnection, repairs: Vec<Repair>) -> Result<()> {
        for Repair { what, action } in repairs {
            self.found += 1;
            if action == Action::Impossible {
                self.failed += 1;
                error!(
                    "cannot {what}: restore a backup, or ask for help with a copy of this database"
                );
            } else if self.dry_run {
                say(format_args!("would {what}")).wrap_err("write to standard output")?;
            } else if let Err(cause) = act(database, action).await {
                self.failed += 1;
                error!("cannot {what}: {cause:#}");
            } else {
                say(format_args!("repaired: {what}")).wrap_err("write to standard output")?;
            }
        }
        Ok(())
    }
}

/// Makes one repair.
async fn act(database: &DatabaseConnection, action: Action) -> Result<()> {
    match action {
        Action::Together(statements) => {
            let transaction = database.begin().await?;
            for statement in statements {
                transaction.execute_unprepared(&statement).await?;
            }
            transaction.commit().await?;
        }
        Action::Alone(statement) => {
            database.execute_unprepared(&statement).await?;
        }
        Action::Identity => installation::renew(database).await?,
        Action::Impossible => {}
    }
    Ok(())
}
