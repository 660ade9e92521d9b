//! Schedulers and checkers as processes of their own, between a database, a topic and a website.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tempfile::TempDir;

use crate::audit::Report;
use crate::crowd::Crowd;
use crate::database::{Database, connect, migrate};
use crate::kafka::{Calm, Topic};
use crate::memory::MemoryGroup;
use crate::process::{Finished, Process};
use crate::service::Service;
use crate::settings::Settings;
use crate::show;
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
    /// The configuration files.
    folder: TempDir,
    /// What is the test's own for as long as it runs.
    _own: Own,
}

/// A database in the server that tests share, and no other checkers on the broker that they share; none
/// where the test has a server of its own.
type Own = (Option<Database>, Option<Calm>);

impl Cluster {
    /// An empty cluster, without any process yet.
    pub async fn start(purpose: &str) -> Self {
        let calm = Calm::hold().await;
        let database = Database::migrated().await;
        let url = database.url().to_owned();
        Self::of(Topic::unique(purpose), &url, (Some(database), Some(calm))).await
    }

    /// The same, and its services reach Kafka over TLS.
    pub async fn start_tls(purpose: &str) -> Self {
        let mut cluster = Self::start(purpose).await;
        cluster.settings = Settings::tls(&cluster.settings.database_url, cluster.topic.name());
        cluster
    }

    /// The same, on a broker of its own at this `host:port`.
    pub async fn on_broker(purpose: &str, brokers: &str) -> Self {
        let database = Database::migrated().await;
        let url = database.url().to_owned();
        let topic = Topic::on(brokers, purpose);
        let mut cluster = Self::of(topic, &url, (Some(database), None)).await;
        brokers.clone_into(&mut cluster.settings.brokers);
        cluster
    }

    /// The same, in a database of its own at this address, which has no table yet.
    pub async fn in_database(purpose: &str, url: &str) -> Self {
        let calm = Calm::hold().await;
        migrate(url).await;
        Self::of(Topic::unique(purpose), url, (None, Some(calm))).await
    }

    /// An empty cluster of these.
    async fn of(topic: Topic, url: &str, own: Own) -> Self {
        Self {
            settings: Settings::plain(url, topic.name()),
            website: Website::start(),
            topic,
            connection: connect(url).await,
            folder: TempDir::new().expect("a temporary folder"),
            _own: own,
        }
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

    /// Starts a checker with these limits of open files; also where it listens.
    pub fn checker_with_files(&self, limits: [u32; 2], name: &str) -> (Process, SocketAddr) {
        let config = self.settings.checker(self.folder.path(), name);
        let process = Process::start_with_files(limits, name, "checker", config.run());
        (process, config.listen)
    }

    /// Starts a checker in a control group, where there is one; also where it listens.
    pub fn checker_in(&self, group: Option<&MemoryGroup>, name: &str) -> (Process, SocketAddr) {
        let config = self.settings.checker(self.folder.path(), name);
        let process = match group {
            Some(group) => Process::start_in(group, name, "checker", config.run()),
            None => config.start(name, "checker"),
        };
        (process, config.listen)
    }

    /// Starts a scheduler and a checker, to be observed, with these settings.
    pub async fn services(&self, [scheduler, checker]: [&Settings; 2]) -> [Service; 2] {
        let folder = self.folder.path();
        let mut services = [
            Service::start(
                "scheduler",
                "scheduler",
                scheduler.scheduler(folder, "scheduler"),
            ),
            Service::start("checker", "checker", checker.checker(folder, "checker")),
        ];
        for service in &mut services {
            service.ready().await;
        }
        services
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

    /// The installation of the database, as messages name it.
    pub async fn installation(&self) -> String {
        tables::installation(&self.connection).await
    }

    /// Waits until everything up to this instant is scheduled.
    pub async fn scheduled_until(&self, instant: i64) {
        tables::scheduled_until(&self.connection, instant).await;
    }

    /// Stops the services in good order; fails unless each check that the website saw is a row. A task that is
    /// on the topic twice may have been checked twice.
    pub async fn stop_and_count(&self, services: [Service; 2]) {
        for service in services {
            service.stop().await;
        }
        let tasks = self.topic.messages();
        let repeated = tasks.len() - tasks.iter().collect::<HashSet<_>>().len();
        let seen = self.website.total_hits();
        let made = "SELECT count(started_at) FROM check_result WHERE outcome <> 'missed'";
        let made = self.number(made).await.unsigned_abs();
        let told = format!("{made} of {seen} checks recorded, {repeated} tasks repeated");
        assert!(seen <= made + repeated as u64, "{told}");
        assert!(made > 0, "{told}");
        show(told);
    }

    /// Fails if more than a hundredth of what was due started late after an instant: people would notice.
    pub async fn assert_punctual(&self, since: i64, report: &Report) {
        let late = "FROM check_result WHERE started_at > scheduled_at + interval '300 ms'";
        let late =
            format!("SELECT count(*) {late} AND scheduled_at > to_timestamp({since} / 1000.0)");
        let late = self.number(&late).await.unsigned_abs();
        assert!(
            late < report.due as u64 / 100,
            "{late} started late\n{report}"
        );
    }

    /// Waits until everything that was due up to this instant is recorded, and says what it was.
    pub async fn audit(&self, until: i64) -> Report {
        tables::audit(&self.connection, until).await
    }
}
