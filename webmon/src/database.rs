//! The database of a standalone: the configured one, or a `PostgreSQL` of its own under `--data`.

use std::path::Path;

use color_eyre::eyre::{Result, bail, eyre};
use migration::Foreign;
use runtime::config::Secret;
use sea_orm::DatabaseConnection;
use store::access::Access;
use store::config::DatabaseConfig;
use store::{DatabaseError, Link, Pool};

use crate::config::Config;
use crate::data_folder::FolderLock;
use crate::postgres::OwnPostgres;

/// The connections of commands, and of what is shown. A migration needs a second one, for its lock.
const fn pool(access: Access) -> Pool {
    Pool {
        name: "webmon",
        connections: 2,
        settings: access.settings(),
    }
}

/// A database, and the server behind it if that is webmon's own.
#[derive(Debug)]
pub struct Database {
    /// Where it is.
    pub config: DatabaseConfig,
    /// What brings it to this build's schema.
    remedy: &'static str,
    /// The server to stop at the end.
    own: Option<OwnPostgres>,
    /// The lock on the data folder, while the server is this process's to stop.
    _lock: Option<FolderLock>,
}

impl Database {
    /// For `webmon up`, which is the only one on this data folder.
    pub async fn open(config: &Config, data: &Path, lock: FolderLock) -> Result<Self> {
        Self::behind(config, data, Some(lock)).await
    }

    /// For a command: beside a `webmon up` that may be running on this data folder. It makes no database.
    pub async fn join(config: &Config, data: &Path) -> Result<Self> {
        if config.database.is_some() {
            return Self::behind(config, data, None).await;
        }
        if !OwnPostgres::is_made(data) {
            bail!(
                "there is no database in the data folder {} yet: run `webmon up` on it, name another one with \
                 --data, or set database.url",
                data.display()
            );
        }
        Self::behind(config, data, FolderLock::take(data)?).await
    }

    /// Takes the configured database, or starts or adopts webmon's own server.
    async fn behind(config: &Config, data: &Path, lock: Option<FolderLock>) -> Result<Self> {
        if let Some(database) = &config.database {
            return Ok(Self {
                config: database.clone(),
                remedy: "run `migration up` or `webmon up`",
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
            remedy: "run `webmon up`",
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
        Link::over(open.clone(), self.config.clone(), pool(Access::Write))
    }

    /// A connection to the database, which is brought to this build's schema: for `webmon up` alone.
    pub async fn migrated(&self) -> Result<DatabaseConnection> {
        let database = store::connect(&self.config, pool(Access::Write)).await?;
        let done = migration::up(&database, None, Foreign::Refuse).await;
        done.map_err(|error| {
            let cause = error.explained(|cause| store::explain(&self.config, cause));
            eyre!("bring the database to this build's schema: {cause}")
        })?;
        store::check_schema(&database).await?;
        Ok(database)
    }

    /// A connection to a database that has this build's schema: for commands, which change no schema.
    pub async fn ready(&self, access: Access) -> Result<DatabaseConnection> {
        let database = store::connect(&self.config, pool(access)).await?;
        match store::check_schema(&database).await {
            Ok(()) => Ok(database),
            Err(DatabaseError::SchemaBehind { found, needed }) => {
                let found = found.as_deref().unwrap_or("missing");
                let remedy = self.remedy;
                bail!("the database's schema is {found}, this build needs {needed}; {remedy}")
            }
            Err(error) => Err(error.into()),
        }
    }
}
