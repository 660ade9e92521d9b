//! The path of a sites file: from YAML on disk to rows of `site`, and back.
//!
//! 1. [`file`] reads the YAML part by part. [`tree`] makes a [node] of each site, which holds whatever YAML
//!    can say; [`reader`] takes the nodes in the order of the file.
//! 2. [`fields`] reads the keys of one entry; [`site`] completes them with the defaults and checks them,
//!    `request` and `expect` through [`options`]. Everything that is wrong becomes one [`fault`] report,
//!    and the database is not even asked.
//! 3. [`write`] brings the table in line with the valid sites, in one transaction, and tells in a
//!    [`summary`] what it did.
//!    A dry run is the same comparison by statements that only read: a [`preview`].
//!
//! [`export`](fn@export) goes the other way. The file is stored as it is written: `${secret:…}` stays
//! what it is, and nothing comes from the environment. Other [`variables`] are refused.

mod export;
mod fault;
mod fields;
mod file;
mod node;
mod options;
mod preview;
mod reader;
mod site;
mod statements;
mod summary;
mod tree;
mod variables;
mod write;
mod yaml;

use std::fmt;
use std::path::Path;

use color_eyre::eyre::{self, WrapErr as _};
use sea_orm::DatabaseConnection;

pub use export::{Exported, entry, export};
pub use fault::{BadFile, Fault};
pub use file::{load, read};
pub use site::Site;
pub use summary::{Summary, Touched};

/// How a sites file is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether sites that the file does not name are removed.
    pub prune: bool,
    /// Whether it only tells what it would do: nothing is written, and no right to write is needed.
    pub dry_run: bool,
}

/// How far an apply is: for a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The file is being read and checked.
    Reading,
    /// The file was read, and is in order.
    Read {
        /// How many it names.
        sites: usize,
    },
    /// Another apply is under way; this one waits for its end.
    Waiting,
    /// Some of the sites were sent to the database.
    Sent {
        /// How many up to now.
        sites: usize,
        /// How many there are.
        of: usize,
    },
    /// All were sent; the database compares them with those it has.
    Comparing,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading => f.write_str("reading the sites file"),
            Self::Read { sites } => write!(f, "read {sites} sites"),
            Self::Waiting => f.write_str("waiting for another apply to end"),
            Self::Sent { sites, of } => write!(f, "sent {sites} of {of} sites"),
            Self::Comparing => f.write_str("comparing with the sites of the database"),
        }
    }
}

/// Applies a sites file.
///
/// The error is a [`BadFile`] (find it with `downcast_ref`) when the file cannot be applied as it is;
/// any other is trouble with the database. Either way nothing was changed.
pub async fn apply(
    database: &DatabaseConnection,
    file: &Path,
    options: Options,
    mut progress: impl FnMut(Progress),
) -> eyre::Result<Summary> {
    progress(Progress::Reading);
    let path = file.to_owned();
    // a long file takes a second of computing, which is no good guest among other tasks
    let sites = tokio::task::spawn_blocking(move || load(&path))
        .await
        .wrap_err("reading the sites file ended early")??;
    progress(Progress::Read { sites: sites.len() });
    if options.dry_run {
        return preview::preview(database, &sites, options.prune, &mut progress).await;
    }
    write::write(database, &sites, options.prune, &mut progress).await
}
