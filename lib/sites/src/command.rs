//! The commands `apply` and `export` of `scheduler` and of `webmon`.

use std::{
    io::{self, BufWriter, stdout},
    path::PathBuf,
};

use clap::Args;
use color_eyre::eyre::{self, Result, WrapErr as _, ensure};
use runtime::program::{say, usage};
use sea_orm::DatabaseConnection;
use store::access::Access;

use crate::{BadFile, Exported, Options, Progress};

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

/// Applies a sites file and says what that changed.
pub async fn apply(database: &DatabaseConnection, command: &Apply) -> Result<()> {
    let options = Options {
        prune: command.prune,
        dry_run: command.dry_run,
    };
    let summary = crate::apply(database, &command.file, options, show)
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
    let mut out = BufWriter::new(stdout());
    let exported = match crate::export(database, &mut out).await {
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
