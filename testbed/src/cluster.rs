//! Schedulers and checkers as processes of their own, between a database, a topic and a website.

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tempfile::TempDir;

use crate::audit::Report;
use crate::crowd::Crowd;
use crate::database::Database;
use crate::kafka::{Calm, Topic};
use crate::process::{Finished, Process};
use crate::settings::Settings;
use crate::tables;
use crate::website::Website;

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// What a test of the whole path stands on. Its processes belong to the test.
#[derive(Debug)]
pub struct Cluster {
    /// What the services have in common.
    pub settings: Settings,
    /// What is watched.
    pub website: Website,
    /// Where the tasks are.
    pub topic: Topic,
    /// A pool on the database.
    connection: DatabaseConnection,
    /// Where the sites and the results are.
    database: Database,
    /// The configuration files.
    folder: TempDir,
    /// No other checkers meanwhile.
    _calm: Calm,
}

impl Cluster {
    /// An empty cluster, without any process yet.
    pub async fn start(purpose: &str) -> Self {
        let calm = Calm::hold().await;
        let database = Database::migrated().await;
        let topic = Topic::unique(purpose);
        Self {
            settings: Settings::plain(database.url(), topic.name()),
            website: Website::start(),
            connection: database.connect().await,
            database,
            topic,
            folder: TempDir::new().expect("a temporary folder"),
            _calm: calm,
        }
    }

    /// The same, and its services reach Kafka over TLS.
    pub async fn start_tls(purpose: &str) -> Self {
        let mut cluster = Self::start(purpose).await;
        cluster.settings = Settings::tls(cluster.database.url(), cluster.topic.name());
        cluster
    }

    /// A folder for files of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A pool on the database.
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Starts a scheduler.
    pub fn scheduler(&self, name: &str) -> Process {
        self.settings
            .scheduler(self.folder.path(), name)
            .start(name, "scheduler")
    }

    /// Starts a checker.
    pub fn checker(&self, name: &str) -> Process {
        self.settings
            .checker(self.folder.path(), name)
            .start(name, "checker")
    }

    /// Adds sites.
    pub async fn add(&self, crowds: &[Crowd]) {
        for crowd in crowds {
            self.execute(&crowd.sql(&self.website)).await;
        }
    }

    /// Runs `scheduler apply` on a sites file with these contents.
    pub async fn apply(&self, sites: &str) -> Finished {
        let file = self.folder.path().join("sites.yaml");
        std::fs::write(&file, sites).expect("a sites file");
        let config = self.settings.scheduler(self.folder.path(), "apply");
        let arguments = [
            "apply".as_ref(),
            file.as_os_str(),
            "--config".as_ref(),
            config.path.as_os_str(),
        ];
        Process::run("scheduler", arguments, COMMAND).await
    }

    /// Runs a statement; returns how many rows it touched.
    pub async fn execute(&self, sql: &str) -> u64 {
        self.connection
            .execute_unprepared(sql)
            .await
            .expect(sql)
            .rows_affected()
    }

    /// A number.
    pub async fn number(&self, sql: &str) -> i64 {
        tables::number(&self.connection, sql).await
    }

    /// The database's time, in milliseconds since the Unix epoch.
    pub async fn now(&self) -> i64 {
        tables::now(&self.connection).await
    }

    /// Waits until everything up to this instant is scheduled.
    pub async fn scheduled_until(&self, instant: i64) {
        tables::scheduled_until(&self.connection, instant).await;
    }

    /// Waits until everything that was due up to this instant is recorded, and says what it was.
    pub async fn audit(&self, until: i64) -> Report {
        tables::audit(&self.connection, until).await
    }
}
