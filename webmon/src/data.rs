//! The database of a standalone: the configured one, or a `PostgreSQL` of its own under `--data`.

use std::fs::{File, TryLockError};
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use migration::{Migrator, MigratorTrait as _};
use runtime::config::{DatabaseConfig, Secret};
use runtime::database::{self, Link, Pool};
use sea_orm::DatabaseConnection;

use crate::config::Config;
use crate::folder;
use crate::postgres::OwnPostgres;

/// The connection of the commands, and of what is shown.
const POOL: Pool = Pool {
    name: "webmon",
    connections: 2,
    settings: &[],
};

/// The lock on a data folder: one `webmon up` at a time.
#[derive(Debug)]
pub struct DataLock {
    /// Locked as long as it is open.
    _file: File,
}

impl DataLock {
    /// Takes the lock for `webmon up`; an error if another webmon has it.
    pub fn insist(data: &Path) -> Result<Self> {
        Self::take(data)?.ok_or_else(|| {
            eyre!(
                "another webmon runs on the data folder {}: stop it, or name another folder with --data",
                data.display()
            )
        })
    }

    /// Takes the lock; `None` if another webmon has it.
    pub fn take(data: &Path) -> Result<Option<Self>> {
        folder::close(data, |name| folder::OWN.iter().any(|own| name == *own))?;
        let path = data.join("lock");
        let file = folder::open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).wrap_err_with(|| format!("lock {}", path.display()))
            }
        }
    }
}

/// A database, and the server behind it if that is webmon's own.
#[derive(Debug)]
pub struct Store {
    /// Where it is.
    pub config: DatabaseConfig,
    /// The server to stop at the end.
    own: Option<OwnPostgres>,
    /// The lock on the data folder, while the server is this process's to stop.
    _lock: Option<DataLock>,
}

impl Store {
    /// For `webmon up`, which is the only one on this data folder.
    pub async fn open(config: &Config, data: &Path, lock: DataLock) -> Result<Self> {
        Self::behind(config, data, Some(lock)).await
    }

    /// For a command: beside a `webmon up` that may be running on this data folder.
    pub async fn join(config: &Config, data: &Path) -> Result<Self> {
        if config.database.is_some() {
            return Self::behind(config, data, None).await;
        }
        Self::behind(config, data, DataLock::take(data)?).await
    }

    /// Takes the configured database, or starts or adopts webmon's own server.
    async fn behind(config: &Config, data: &Path, lock: Option<DataLock>) -> Result<Self> {
        if let Some(database) = &config.database {
            return Ok(Self {
                config: database.clone(),
                own: None,
                _lock: lock,
            });
        }
        let server = OwnPostgres::start(data).await?;
        let config = DatabaseConfig {
            url: Secret::new(server.url()),
        };
        // Without the lock the server is another webmon's, and stays.
        let own = lock.is_some().then_some(server);
        Ok(Self {
            config,
            own,
            _lock: lock,
        })
    }

    /// Stops the server, if it is this process's.
    pub async fn close(self) -> Result<()> {
        match self.own {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }

    /// The same connection, for a stage that makes it anew where it fails.
    pub fn link(&self, open: &DatabaseConnection) -> Link {
        Link::over(open.clone(), self.config.clone(), POOL)
    }

    /// A connection to the database at this build's schema.
    pub async fn migrated(&self) -> Result<DatabaseConnection> {
        let database = database::connect(&self.config, POOL).await?;
        Migrator::up(&database, None).await.map_err(|error| {
            let cause = database::explain(&self.config, &error);
            eyre!("bring the database to this build's schema: {cause}")
        })?;
        database::check_schema(&database).await?;
        Ok(database)
    }
}
