//! Apply: the table `site` becomes what a sites file says.
//!
//! The [file](crate::file) is read and checked first. Then [`write`] changes the table in one transaction; a dry
//! run is the same comparison by statements that only read: a [`preview`]. Either tells a [`summary`].

mod preview;
mod progress;
mod summary;
mod write;

use std::path::Path;

use color_eyre::eyre::{self, WrapErr as _};
use sea_orm::DatabaseConnection;

pub use progress::Progress;
pub use summary::{Summary, Touched};

use crate::file::load;

/// How a sites file is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether sites that the file does not name are removed.
    pub prune: bool,
    /// Whether it only tells what it would do: nothing is written, and no right to write is needed.
    pub dry_run: bool,
}

/// Applies a sites file.
///
/// The error is a [`BadFile`](crate::BadFile) (find it with `downcast_ref`) when the file cannot be applied as it is;
/// any other is trouble with the database. Either way nothing was changed.
pub async fn apply(
    database: &DatabaseConnection,
    file: &Path,
    options: Options,
    mut progress: impl FnMut(Progress),
) -> eyre::Result<Summary> {
    progress(Progress::Reading);
    let path = file.to_owned();
    // a long file takes a second of computing, which would hold up other tasks
    let sites = tokio::task::spawn_blocking(move || load(&path))
        .await
        .wrap_err("reading the sites file ended early")??;
    progress(Progress::Read { sites: sites.len() });
    if options.dry_run {
        return preview::preview(database, &sites, options.prune, &mut progress).await;
    }
    write::write(database, &sites, options.prune, &mut progress).await
}
