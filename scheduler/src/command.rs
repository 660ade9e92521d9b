//! What people do with sites: the commands `apply` and `export`, of `scheduler` and of `webmon`.

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    config::DatabaseConfig,
    database::{self, Pool, READ_ONLY},
    program::{say, usage},
};
use sea_orm::DatabaseConnection;

use crate::apply::{self, BadFile, Options, Progress};

/// `apply FILE [--prune] [--dry-run]`
#[derive(Args, Clone, Debug)]
pub struct Apply {
    /// The sites file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Remove the sites that the file does not name (their results stay)
    #[arg(long)]
    pub prune: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What a command does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads: a role that may only read is enough, and so is a standby.
    Read,
    /// It writes.
    Write,
}

impl Access {
    /// The settings of its sessions.
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Read => READ_ONLY,
            Self::Write => &[],
        }
    }
}

impl Apply {
    /// What it does with the database.
    pub const fn access(&self) -> Access {
        if self.dry_run {
            Access::Read
        } else {
            Access::Write
        }
    }
}

/// Connects to a database that has this build's schema.
pub async fn connect(config: &DatabaseConfig, access: Access) -> Result<DatabaseConnection> {
    let pool = Pool {
        name: "webmon-command",
        connections: 1,
        settings: access.settings(),
    };
    let database = database::connect(config, pool).await?;
    database::check_schema(&database).await?;
    Ok(database)
}

/// Applies a sites file and says what that changed.
pub async fn apply(database: &DatabaseConnection, command: &Apply) -> Result<()> {
    let options = Options {
        prune: command.prune,
        dry_run: command.dry_run,
    };
    let summary = apply::apply(database, &command.file, options, show)
        .await
        .map_err(|error| match error.downcast::<BadFile>() {
            Ok(bad) => usage(bad),
            Err(error) => error,
        })?;
    say(summary).wrap_err("write to standard output")
}

/// Writes all sites as a sites file to standard output.
pub async fn export(database: &DatabaseConnection) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    apply::export(database, &mut out).await?;
    out.flush().wrap_err("write to standard output")
}

/// Shows how far a long apply is.
fn show(progress: Progress) {
    tracing::info!("{progress}");
}
