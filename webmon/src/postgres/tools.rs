//! `pg_dump` and `pg_restore`, which come with the server's programs, and the database that they fill.
//!
//! A restored database is made beside webmon's, and takes its place when it is whole.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use color_eyre::eyre::{self, WrapErr as _, bail, ensure, eyre};
use tokio::process::Command;

use super::account::Account;
use super::installation::{self, Installation};
use super::{OwnPostgres, answer, location, logs};

/// The program that writes a backup.
const DUMP: &str = "pg_dump";
/// The program that reads one.
const RESTORE: &str = "pg_restore";
/// How its own format begins.
const MAGIC: &[u8] = b"PGDMP";
/// The database that is filled.
const RESTORED: &str = "webmon_restored";
/// The name of the database whose place it takes.
const REPLACED: &str = "webmon_replaced";

/// The programs of one version, which run as the user of the server that they are used on.
#[derive(Debug)]
pub struct Tools {
    /// What writes a backup.
    dump: PathBuf,
    /// What reads one.
    restore: PathBuf,
}

impl Tools {
    /// Those that suit a server's files.
    pub async fn of(server: &OwnPostgres) -> eyre::Result<Self> {
        Self::of_places(server, &installation::usual_places()).await
    }

    /// The same, looking in `places` only.
    pub async fn of_places(server: &OwnPostgres, places: &[PathBuf]) -> eyre::Result<Self> {
        let major = server.folders.version()?;
        let major = major
            .ok_or_else(|| eyre!("{} has no files of a server", server.folders.root.display()))?;
        let [dump, restore] = Installation::programs(places, major, [DUMP, RESTORE]).await?;
        Ok(Self { dump, restore })
    }

    /// Writes a backup of `server`'s database into `output`.
    pub async fn dump(&self, server: &OwnPostgres, output: Stdio) -> eyre::Result<()> {
        let mut dump = self.dumping(server);
        run(DUMP, dump.stdout(output)).await
    }

    /// Fails unless `backup` has a table of contents, by a program that runs as the user of `server`.
    pub async fn look_at(&self, server: &OwnPostgres, backup: File) -> eyre::Result<()> {
        let mut list = command(&self.restore, server.folders.account);
        run(
            RESTORE,
            list.arg("--list").stdin(backup).stdout(Stdio::null()),
        )
        .await
    }

    /// Fills the new database of `server` with a backup: all of it or nothing.
    pub async fn restore(&self, server: &OwnPostgres, backup: Stdio) -> eyre::Result<()> {
        server.make(RESTORED).await?;
        let mut restore = self.restoring(server);
        run(RESTORE, restore.stdin(backup)).await
    }

    /// Fills the new database of `new` with the database of `old`, without a file.
    pub async fn copy(&self, old: &OwnPostgres, new: &OwnPostgres) -> eyre::Result<()> {
        new.make(RESTORED).await?;
        let mut dumping = self
            .dumping(old)
            .stdout(Stdio::piped())
            .spawn()
            .wrap_err_with(|| format!("cannot run {DUMP}"))?;
        let Some(pipe) = dumping.stdout.take() else {
            bail!("{DUMP} has no output");
        };
        let pipe: Stdio = pipe.try_into().wrap_err("pass a backup on")?;
        let mut restore = self.restoring(new);
        let restoring = run(RESTORE, restore.stdin(pipe));
        let (dumped, restored) = tokio::join!(dumping.wait_with_output(), restoring);
        // Where both failed, the dump did because its reader was gone.
        restored.and(finished(DUMP, dumped))
    }

    /// What dumps.
    fn dumping(&self, server: &OwnPostgres) -> Command {
        let mut command = command(&self.dump, server.folders.account);
        // Fast rather than small: checks go on beside it.
        command.args(["--format=custom", "--no-owner", "--compress=1", "--dbname"]);
        command.arg(server.url());
        command
    }

    /// What restores.
    fn restoring(&self, server: &OwnPostgres) -> Command {
        let mut command = command(&self.restore, server.folders.account);
        command.args(["--no-owner", "--exit-on-error", "--single-transaction"]);
        command.args(["--dbname", &server.restored_url()]);
        command.stdout(Stdio::null());
        command
    }
}

/// What runs a program. The environment could name another server.
fn command(program: &Path, account: Account) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    account.run(&mut command);
    command
}

/// Whether these are the first bytes of a backup.
pub fn is_backup(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Runs a program to its end.
async fn run(program: &str, command: &mut Command) -> eyre::Result<()> {
    let child = command
        .spawn()
        .wrap_err_with(|| format!("cannot run {program}"))?;
    // Not `Command::output`, which would take the program's output from where it goes.
    finished(program, child.wait_with_output().await)
}

/// Fails with what the program said, unless it did its work.
fn finished(program: &str, output: std::io::Result<Output>) -> eyre::Result<()> {
    let output = output.wrap_err_with(|| format!("cannot run {program}"))?;
    ensure!(
        output.status.success(),
        "{program} failed ({}):{}",
        output.status,
        logs::last_lines(&output.stderr)
    );
    Ok(())
}

impl OwnPostgres {
    /// The address of the database that was restored and has not taken its place yet.
    pub fn restored_url(&self) -> String {
        location::url(&self.socket, RESTORED)
    }

    /// Lets the restored database take the place of webmon's, at once.
    pub async fn promote_restored(&self) -> eyre::Result<()> {
        let remove = || format!("DROP DATABASE IF EXISTS {REPLACED}");
        let swap = format!(
            "BEGIN; ALTER DATABASE {db} RENAME TO {REPLACED}; ALTER DATABASE {RESTORED} RENAME TO {db}; COMMIT",
            db = location::DATABASE
        );
        self.administrate(&[remove(), swap]).await?;
        if let Err(error) = self.administrate(&[remove()]).await {
            tracing::warn!("the empty database {REPLACED} is left: {error:#}");
        }
        Ok(())
    }

    /// Removes a database that was not restored to its end.
    pub async fn forget_restored(&self) -> eyre::Result<()> {
        self.administrate(&[format!("DROP DATABASE IF EXISTS {RESTORED}")])
            .await
    }

    /// Makes an empty database of this name; what an interrupted attempt left of it is removed.
    async fn make(&self, name: &str) -> eyre::Result<()> {
        self.administrate(&[
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name} TEMPLATE template0"),
        ])
        .await
    }

    /// Runs statements that are about databases.
    async fn administrate(&self, statements: &[String]) -> eyre::Result<()> {
        answer::administrate(&self.socket, statements)
            .await
            .wrap_err("exchange databases")
    }
}
