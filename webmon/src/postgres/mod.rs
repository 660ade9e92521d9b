//! The `PostgreSQL` that `webmon up` runs for itself when `database.url` is not set.
//!
//! Under the data folder, `postgres/` holds the server's files (`cluster`), its socket (`socket`) and
//! its logs (`log`, and `start.log` until the first of them is open). The path of a start:
//!
//! 1. `folders`: whose server it is, and the folders that it needs.
//! 2. `postmaster`: the server that a crash of webmon left running, if there is one, is adopted.
//! 3. `installation`: otherwise, the programs of a `PostgreSQL` on this machine.
//! 4. `cluster`: the first time, `initdb`.
//! 5. `answer`: the server is waited for, and has a database for webmon.
//!
//! `tools` are the programs that back its database up and restore it.
//!
//! The server listens on a Unix socket in a folder that is closed to others, and nowhere else.
//! One webmon at a time may use a data folder; its lock is the caller's business.

mod account;
mod answer;
mod cluster;
mod folders;
mod installation;
mod location;
mod logs;
mod postmaster;
mod tools;

use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, bail, eyre};

pub use self::installation::usual_places;
pub use self::tools::{Tools, is_backup};

use self::answer::Ready;
use self::folders::ServerFolders;
use self::installation::Installation;
use self::postmaster::Postmaster;

/// How long a fast shutdown may take: it ends with a checkpoint.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A running `PostgreSQL` server of webmon's own.
///
/// Dropped without [`OwnPostgres::stop`], it goes on running, and the next start adopts it.
#[derive(Debug)]
pub struct OwnPostgres {
    /// The server's process.
    postmaster: Postmaster,
    /// The folder of the socket on which it listens.
    socket: PathBuf,
    /// Its folders.
    folders: ServerFolders,
}

/// The major version that made the server's files in a data folder, and the newest that is in `places`.
pub async fn versions(data: &Path, places: &[PathBuf]) -> eyre::Result<(Option<u32>, u32)> {
    let made_by = ServerFolders::prepare(data)?.version()?;
    let newest = Installation::find(places, None).await?;
    Ok((made_by, newest.major))
}

impl OwnPostgres {
    /// Has `PostgreSQL` running on `data`: adopts the server that runs there, or starts one, creating
    /// its files the first time.
    ///
    /// Fails when no `PostgreSQL` is installed, when the files are of a version that is not installed,
    /// when the server's user cannot reach the folder, or when the server is not ready in a minute.
    pub async fn start(data: &Path) -> eyre::Result<OwnPostgres> {
        Self::start_from(data, &installation::usual_places()).await
    }

    /// Whether `data` holds the files of a server already. Looks, and makes nothing.
    pub fn is_made(data: &Path) -> bool {
        // An interrupted upgrade has moved the old files away, and the next start puts the new ones there.
        let upgraded = data.join(crate::data_folder::UPGRADING);
        ServerFolders::cluster_in(data).exists() || ServerFolders::cluster_in(&upgraded).exists()
    }

    /// Like [`OwnPostgres::start`], looking for `PostgreSQL` in `places` only: folders of programs, in
    /// which one `*` stands for any part of a folder's name.
    pub async fn start_from(data: &Path, places: &[PathBuf]) -> eyre::Result<OwnPostgres> {
        let folders = ServerFolders::prepare(data)?;
        if let Some(adopted) = Self::adopt(&folders).await? {
            return Ok(adopted);
        }
        let installation = Installation::find(places, folders.version()?).await?;
        if let Some(newer) = installation.newer {
            tracing::info!(
                postgres.version = installation.major,
                postgres.newest = newer,
                "a newer PostgreSQL is installed: `webmon upgrade` moves the data folder to it"
            );
        }
        if folders.version()?.is_none() {
            cluster::create(&folders, &installation).await?;
        }
        Self::launch(&folders, &installation).await
    }

    /// The server that runs on `data`, if one does.
    pub async fn running(data: &Path) -> eyre::Result<Option<OwnPostgres>> {
        Self::adopt(&ServerFolders::prepare(data)?).await
    }

    /// Where sea-orm finds webmon's database.
    ///
    /// Port and `sslmode` are given so that `PGPORT` and `PGSSLMODE` in the environment do not count.
    pub fn url(&self) -> String {
        location::url(&self.socket, location::DATABASE)
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        self.postmaster.pid()
    }

    /// Stops the server: sessions are ended, what they committed is on disk. A server that has not
    /// stopped within 20 s is left to it, and is an error.
    pub async fn stop(self) -> eyre::Result<()> {
        let OwnPostgres {
            mut postmaster,
            socket,
            folders: _,
        } = self;
        let pid = postmaster.pid();
        if postmaster.has_ended()? {
            tracing::warn!(
                postgres.pid = pid,
                "PostgreSQL had stopped before it was asked to"
            );
            return Ok(());
        }
        if postmaster.is_adopted() {
            // A process id says little about a process that is not our child: it is asked first.
            answer::confirm(&socket, &postmaster)
                .await
                .wrap_err_with(|| format!("PostgreSQL, process {pid}, was not stopped"))?;
        }
        postmaster.interrupt()?;
        tokio::time::timeout(STOP_DEADLINE, postmaster.ended()).await.map_err(|_| {
            eyre!("PostgreSQL, process {pid}, has not stopped after {STOP_DEADLINE:?}: it was left stopping, look at its log")
        })??;
        if !socket.starts_with(postmaster.root()) {
            // A folder for temporary files is not to be littered; one that is not empty stays.
            drop(std::fs::remove_dir(&socket));
        }
        tracing::info!(postgres.pid = pid, "PostgreSQL stopped");
        Ok(())
    }

    /// The server that runs on these files already, if there is one. One that is stopping is let go.
    async fn adopt(folders: &ServerFolders) -> eyre::Result<Option<OwnPostgres>> {
        let Some(mut postmaster) = Postmaster::running_on(&folders.cluster)? else {
            return Ok(None);
        };
        let pid = postmaster.pid();
        tracing::info!(postgres.pid = pid, "PostgreSQL runs already: using it");
        match answer::wait(&mut postmaster).await? {
            Ready::On(socket) => Ok(Some(OwnPostgres {
                postmaster,
                socket,
                folders: folders.clone(),
            })),
            Ready::Never => Ok(None),
        }
    }

    /// Starts the server on files that are there.
    async fn launch(
        folders: &ServerFolders,
        installation: &Installation,
    ) -> eyre::Result<OwnPostgres> {
        let child = cluster::command(folders, installation)?
            .spawn()
            .wrap_err_with(|| format!("cannot run {}", installation.postgres().display()))?;
        let mut postmaster = Postmaster::of_child(&folders.cluster, child)?;
        let pid = postmaster.pid();
        tracing::info!(
            postgres.pid = pid,
            postgres.version = installation.major,
            "PostgreSQL starts in {}",
            folders.cluster.display()
        );
        match answer::wait(&mut postmaster).await? {
            Ready::On(socket) => Ok(OwnPostgres {
                postmaster,
                socket,
                folders: folders.clone(),
            }),
            Ready::Never => bail!(
                "PostgreSQL did not start in {}:{}",
                folders.cluster.display(),
                logs::of_start(folders)
            ),
        }
    }
}
