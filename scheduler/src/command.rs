//! What people do with sites: the commands `apply` and `export`, of `scheduler` and of `webmon`.

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    config::DatabaseConfig,
    database::{self, Pool},
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

/// The connection of a command.
const POOL: Pool = Pool {
    name: "webmon-command",
    connections: 1,
    settings: &[],
};

/// Connects to a database that has this build's schema.
pub async fn connect(config: &DatabaseConfig) -> Result<DatabaseConnection> {
    let database = database::connect(config, POOL).await?;
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
