//! `webmon backup` and `webmon restore`: the database of webmon's own `PostgreSQL`, as one file.
//!
//! A backup is `pg_dump`'s custom format. It is taken beside a running `webmon up`, of one moment, and appears
//! whole or not at all. It is restored where there is no site and no result yet, in one transaction.

mod file;

use std::path::{Path, PathBuf};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, bail, ensure, eyre};
use runtime::config::Secret;
use runtime::program::{say, usage};
use runtime::shutdown::on_signals;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use store::config::DatabaseConfig;
use store::installation;
use store::schema::catalog;
use store::site::look_up;
use store::sql;
use store::{DatabaseError, Pool};
use tracing::warn;

use crate::config::Config;
use crate::data_folder::FolderLock;
use crate::postgres::{OwnPostgres, Tools};

use self::file::{Source, Target};

/// `backup FILE [--force]`
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The file to write; `-` is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// `restore FILE`
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// The file that `webmon backup` wrote; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// The connection of these commands.
const POOL: Pool = Pool {
    name: "webmon-restore",
    connections: 1,
    settings: &[("jit", "off")],
};

/// Writes a backup.
pub async fn backup(config: &Config, data: &Path, command: &Backup) -> Result<()> {
    refuse_configured(config, "pg_dump")?;
    ensure!(
        OwnPostgres::is_made(data),
        "there is nothing to back up: {} has no database yet",
        data.display()
    );
    let target = Target::new(&command.file, command.force)?;
    // Without the lock a webmon up runs on the folder, and keeps the server.
    let lock = FolderLock::take(data)?;
    let server = OwnPostgres::start(data).await?;
    let written = interruptible(async {
        let tools = Tools::of(&server).await?;
        target.write(&tools, &server).await
    })
    .await;
    match lock {
        Some(_lock) => written.and(server.stop().await),
        None => written,
    }
}

/// Fills the database of a data folder with a backup.
pub async fn restore(config: &Config, data: &Path, command: &Restore) -> Result<()> {
    refuse_configured(config, "pg_restore")?;
    // Before anything is made for it.
    let source = Source::open(&command.file)?;
    let lock = FolderLock::insist(data)?;
    let server = OwnPostgres::start(data).await?;
    let filling = fill(&server, data, &source);
    let restored = Box::pin(interruptible(filling)).await;
    if restored.is_err()
        && let Err(error) = server.forget_restored().await
    {
        warn!("an unfinished database is left: {error:#}");
    }
    let restored = restored.wrap_err_with(|| {
        format!(
            "cannot restore {}, and nothing is changed",
            command.file.display()
        )
    });
    let stopped = server.stop().await;
    drop(lock);
    let sites = restored?;
    stopped?;
    say(format_args!(
        "restored {sites} site{} with all results: `webmon up` goes on with them. If the original goes on as well, \
         run `webmon identity new` first",
        if sites == 1 { "" } else { "s" }
    ))
    .wrap_err("write to standard output")
}

/// Fills the server's database; returns the number of its sites.
async fn fill(server: &OwnPostgres, data: &Path, source: &Source) -> Result<i64> {
    refuse_rows(server, data).await?;
    let tools = Tools::of(server).await?;
    source.look(&tools, server).await?;
    tools.restore(server, source.stdin()?).await?;
    take_place(server).await
}

/// Checks a database that was just filled, prepares it for its new place, and lets it take that; returns the
/// number of its sites.
pub(crate) async fn take_place(server: &OwnPostgres) -> Result<i64> {
    let config = DatabaseConfig {
        url: Secret::new(server.restored_url()),
    };
    let database = store::connect(&config, POOL).await?;
    match store::check_schema(&database).await {
        // `webmon up` migrates what is older.
        Ok(()) | Err(DatabaseError::SchemaBehind { found: Some(_), .. }) => {}
        Err(DatabaseError::SchemaBehind { found: None, .. }) => {
            bail!("it is a backup of another program's database: it has no schema of webmon's")
        }
        Err(error) => return Err(error.into()),
    }
    if exists(&database, installation::HAS_TABLE).await? {
        installation::keep(&database).await?;
    }
    // A restored database has no statistics, and is slow without.
    database
        .execute_unprepared(catalog::ANALYZE)
        .await
        .wrap_err("analyse the restored tables")?;
    let sites = value(&database, look_up::COUNT).await?;
    database.close().await.wrap_err("leave the database")?;
    server.promote_restored().await?;
    Ok(sites)
}

/// These commands are for webmon's own server.
fn refuse_configured(config: &Config, program: &str) -> Result<()> {
    if config.database.is_none() {
        return Ok(());
    }
    Err(usage(format!(
        "database.url is set, and this command is for the PostgreSQL that `webmon up` runs for itself: use \
         PostgreSQL's own `{program}` with that address"
    )))
}

/// Does `work`, unless a signal comes first: then what it made is removed.
pub(crate) async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let signals = on_signals().wrap_err("listen for signals")?;
    tokio::select! {
        done = work => done,
        () = signals.stop.cancelled() => Err(eyre!("stopped by a signal")),
    }
}

/// Refuses a database with sites or results.
async fn refuse_rows(server: &OwnPostgres, data: &Path) -> Result<()> {
    let config = DatabaseConfig {
        url: Secret::new(server.url()),
    };
    let database = store::connect(&config, POOL).await?;
    let tables = database.query_all_raw(catalog::tables_to_be_empty());
    for table in tables.await.wrap_err("look for tables with rows")? {
        let name: String = table.try_get("", "name").wrap_err("read a name")?;
        ensure!(
            !exists(&database, &catalog::has_rows(&name)).await?,
            "the database in {} is in use, its table {name} has rows: restore into a folder of its own, \
             with --data",
            data.display()
        );
    }
    database.close().await.wrap_err("leave the database")
}

/// Whether something is so.
async fn exists(database: &DatabaseConnection, question: &str) -> Result<bool> {
    value(database, question).await
}

/// The only value of a question.
async fn value<T: sea_orm::TryGetable>(database: &DatabaseConnection, question: &str) -> Result<T> {
    let row = database.query_one_raw(Statement::from_string(sql::POSTGRES, question));
    let row = row.await.wrap_err_with(|| question.to_owned())?;
    let row = row.ok_or_else(|| eyre!("{question}: no answer"))?;
    row.try_get_by_index(0)
        .wrap_err_with(|| question.to_owned())
}
