//! What people do with sites: the commands `apply` and `export`, of `scheduler` and of `webmon`.

use std::{io, path::PathBuf};

use clap::Args;
use color_eyre::eyre::{self, Result, WrapErr as _, ensure};
use runtime::program::{say, usage};
use sea_orm::DatabaseConnection;
use store::{Pool, READ_ONLY, config::DatabaseConfig};

use crate::apply::{self, BadFile, Exported, Options, Progress};

/// `apply FILE [--prune] [--dry-run]`
#[derive(Args, Clone, Debug)]
pub struct Apply {
    /// The sites file; `-` is standard input
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
    let database = store::connect(config, pool).await?;
    store::check_schema(&database).await?;
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

/// Writes all sites as a sites file to standard output; sites that it cannot hold are an error, which names
/// them. An output that is closed early is none.
pub async fn export(database: &DatabaseConnection) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let exported = match apply::export(database, &mut out).await {
        Ok(exported) => exported,
        Err(error) if is_closed(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    ensure!(exported.left_out.is_empty(), left_out(&exported));
    Ok(())
}

/// Whether the reader of the output has gone.
fn is_closed(error: &eyre::Report) -> bool {
    let kind = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    kind.map(io::Error::kind)
        .any(|kind| kind == io::ErrorKind::BrokenPipe)
}

/// What is said of sites that were left out.
fn left_out(exported: &Exported) -> String {
    let Exported { left_out, more, .. } = exported;
    let count = left_out.len().saturating_add(*more);
    let mut said = format!(
        "left out, as `apply` would refuse them: {count} of the sites; put their rows right, or delete these"
    );
    let rest = (*more > 0).then(|| format!("… and {more} more"));
    for line in left_out.iter().chain(&rest) {
        said.push_str("\n  ");
        said.push_str(line);
    }
    said
}

/// Shows how far a long apply is.
fn show(progress: Progress) {
    tracing::info!("{progress}");
}
