//! `webmon upgrade`: a data folder moves to the newest `PostgreSQL` of this machine.
//!
//! The new server's files are made in a folder beside the old ones, and filled from the old server. When they
//! are whole, two renames exchange them. The old files stay, under the name of their version.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Result, WrapErr as _, ensure};
use runtime::program::{say, usage};

use crate::commands::backup::{interruptible, take_place};
use crate::config::Config;
use crate::data_folder::FolderLock;
use crate::data_folder::UPGRADING;
use crate::postgres::{self, OwnPostgres, Tools};

/// Moves the data folder to the newest version that is installed.
pub async fn upgrade(config: &Config, data: &Path) -> Result<()> {
    if config.database.is_some() {
        return Err(usage(
            "database.url is set, and this command is for the PostgreSQL that `webmon up` runs for itself",
        ));
    }
    Box::pin(upgrade_from(data, &postgres::usual_places())).await
}

/// The same, of the versions in `places`.
pub async fn upgrade_from(data: &Path, places: &[PathBuf]) -> Result<()> {
    let lock = FolderLock::insist(data)?;
    let (from, to) = postgres::versions(data, places).await?;
    let Some(from) = from else {
        return say(format_args!("{} has no database yet", data.display())).wrap_err("write");
    };
    if to <= from {
        return say(format_args!(
            "{} is of PostgreSQL {from}, and this machine has none that is newer: nothing to do",
            data.display()
        ))
        .wrap_err("write to standard output");
    }
    let upgrading = data.join(UPGRADING);
    discard(&upgrading).await?;
    let old = OwnPostgres::start_from(data, places).await?;
    let filled = Box::pin(interruptible(fill(&old, &upgrading, places))).await;
    let stopped = old.stop().await;
    if filled.is_err() {
        discard(&upgrading).await?;
    }
    filled.and(stopped)?;
    let kept = exchange(data, &upgrading, from)?;
    drop(lock);
    say(format_args!(
        "{} is of PostgreSQL {to} now. The old files are in {}: remove them when all is well",
        data.display(),
        kept.display()
    ))
    .wrap_err("write to standard output")
}

/// Removes what an interrupted upgrade left, of which the server may still run.
async fn discard(upgrading: &Path) -> Result<()> {
    if !upgrading.exists() {
        return Ok(());
    }
    if let Some(server) = OwnPostgres::running(upgrading).await? {
        server.stop().await?;
    }
    fs::remove_dir_all(upgrading).wrap_err_with(|| format!("remove {}", upgrading.display()))
}

/// Makes the new server's files, and fills them from the old server.
async fn fill(old: &OwnPostgres, upgrading: &Path, places: &[PathBuf]) -> Result<()> {
    let new = OwnPostgres::start_from(upgrading, places).await?;
    let filled = async {
        let tools = Tools::of_places(&new, places).await?;
        tools.copy(old, &new).await?;
        take_place(&new).await
    };
    let filled = filled.await;
    let stopped = new.stop().await;
    filled.and(stopped)
}

/// Puts the new files in the place of the old ones; returns where the old ones are kept.
fn exchange(data: &Path, upgrading: &Path, from: u32) -> Result<PathBuf> {
    let old = data.join("postgres");
    let kept = data.join(format!("postgres-{from}"));
    ensure!(
        !kept.exists(),
        "{} is there already, from an earlier upgrade: move it away",
        kept.display()
    );
    let context = || format!("exchange {} for {}", old.display(), upgrading.display());
    fs::rename(&old, &kept).wrap_err_with(context)?;
    // Without this rename the next start finishes it.
    fs::rename(upgrading.join("postgres"), &old).wrap_err_with(context)?;
    fs::remove_dir_all(upgrading).wrap_err_with(context)?;
    File::open(data)
        .and_then(|data| data.sync_all())
        .wrap_err_with(context)?;
    Ok(kept)
}
