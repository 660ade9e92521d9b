//! `webmon identity`: whose messages are ours, and what to do about a database that was copied or moved.

use clap::{Args, Subcommand};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::program::{Said, say};
use sea_orm::DatabaseConnection;
use store::access::Access;
use store::installation::{self, Identity};
use tracing::warn;

/// `identity [keep|new]`
#[derive(Args, Clone, Debug)]
pub struct IdentityCommand {
    /// What to do; without it the identity is shown, and the exit code is 1 if the database was copied or moved
    #[command(subcommand)]
    change: Option<Change>,
}

/// What to do about a copy.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Change {
    /// This database is the original, which was moved or restored here: it keeps its identity
    Keep,
    /// This database is a copy, and the original still exists: it gets an identity of its own
    New,
}

impl IdentityCommand {
    /// What it does with the database.
    pub const fn access(&self) -> Access {
        match self.change {
            None => Access::Read,
            Some(_) => Access::Write,
        }
    }
}

/// Shows the identity of a database, after a change if one is asked for.
pub async fn identity(database: &DatabaseConnection, command: &IdentityCommand) -> Result<()> {
    match command.change {
        Some(Change::Keep) => installation::keep(database).await?,
        Some(Change::New) => installation::renew(database).await?,
        None => {}
    }
    let Identity {
        id,
        installation,
        difference,
    } = Identity::read(database).await?;
    let place = difference.as_deref().unwrap_or("where it was made");
    let shown = format!("identity  {id}\nmessages  {installation}\nplace     {place}");
    say(shown).wrap_err("write to standard output")?;
    match (difference, command.change) {
        (Some(_), None) => {
            let remedy = "this database was copied or moved: run `webmon identity keep` if it is the original, \
                          `webmon identity new` if the original still exists elsewhere";
            say(remedy).wrap_err("write to standard output")?;
            Err(Said.into())
        }
        _ => Ok(()),
    }
}

/// Warns of a database that was copied or moved, as far as this role may know.
pub async fn warn_of_copy(database: &DatabaseConnection) {
    if let Ok(identity) = Identity::read(database).await
        && let Err(copy) = identity.refuse_copy()
    {
        warn!("{copy}");
    }
}
