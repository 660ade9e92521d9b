//! A world of its own for a run: a database, a topic, sites, and webmon's services on them.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;

use color_eyre::eyre::{OptionExt as _, Result, WrapErr as _};
use scheduler::upkeep::pack::{Days, pack};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, FromQueryResult, Statement};
use testbed::{Database, Topic, brokers, free_address, tables};

use crate::process::{Process, sibling};
use crate::stage::Stage;

/// A database and a topic of its own.
#[derive(Debug)]
pub(crate) struct World {
    /// The database.
    database: Database,
    /// A pool on it.
    connection: DatabaseConnection,
    /// The topic.
    topic: Topic,
    /// For configurations and logs.
    folder: PathBuf,
}

/// A service of webmon.
#[derive(Debug)]
pub(crate) struct Service {
    /// The process.
    pub(crate) process: Process,
    /// Where it shows its metrics.
    listen: SocketAddr,
}

/// Sites that differ by name and address only.
#[derive(Clone, Debug)]
pub(crate) struct Sites<'a> {
    /// How many.
    pub(crate) count: u32,
    /// Their interval, in milliseconds.
    pub(crate) interval_ms: u32,
    /// Their addresses, in turn.
    pub(crate) urls: &'a [String],
}

impl World {
    /// An empty world.
    pub(crate) async fn new(stage: &Stage) -> Self {
        let database = Database::migrated().await;
        Self {
            connection: database.connect().await,
            database,
            topic: Topic::unique("bench"),
            folder: stage.folder().to_owned(),
        }
    }

    /// Its address.
    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// The topic's name.
    pub(crate) fn topic(&self) -> &str {
        self.topic.name()
    }

    /// Takes another topic.
    pub(crate) fn renew_topic(&mut self) {
        self.topic = Topic::unique("bench");
    }

    /// Adds sites as if they had been scheduled for long: nothing is left to be stamped.
    pub(crate) async fn add(&self, sites: &Sites<'_>) -> Result<()> {
        let Sites {
            count,
            interval_ms,
            urls,
        } = sites;
        let timeout_ms = interval_ms.min(&10_000);
        let (urls, many) = (urls.join("','"), urls.len());
        self.execute(&format!(
            "ALTER TABLE site DISABLE TRIGGER site_changed;
             INSERT INTO site (name, url, interval_ms, timeout_ms, scheduled_from)
             SELECT 'site-' || n, (ARRAY['{urls}'])[1 + n % {many}], {interval_ms}, {timeout_ms}, now()
             FROM generate_series(1, {count}) AS n;
             ALTER TABLE site ENABLE TRIGGER site_changed;"
        ))
        .await?;
        // Of its own, as it cannot be part of a transaction.
        self.execute("VACUUM ANALYZE site").await
    }

    /// Runs statements.
    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        let done = self.connection.execute_unprepared(sql).await;
        done.wrap_err_with(|| sql.to_owned())?;
        Ok(())
    }

    /// A number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        tables::number(&self.connection, sql).await
    }

    /// The one row of a query.
    pub(crate) async fn row<T: FromQueryResult>(&self, sql: &str) -> Result<T> {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let row = T::find_by_statement(statement).one(&self.connection).await;
        row.wrap_err_with(|| sql.to_owned())?.ok_or_eyre("no row")
    }

    /// The database's time, in milliseconds since the Unix epoch.
    pub(crate) async fn now(&self) -> i64 {
        tables::now(&self.connection).await
    }

    /// Packs the days as a scheduler does once they are finished.
    pub(crate) async fn pack(&self) -> Result<()> {
        pack(&self.connection, Days::All).await
    }

    /// Starts a scheduler that logs every turn.
    pub(crate) fn scheduler(&self) -> Result<Service> {
        self.start("scheduler", "", "info,scheduler=debug", &[])
    }

    /// Starts a checker that may probe loopback; it trusts this authority only, if there is one.
    pub(crate) fn checker(&self, ca: Option<&PathBuf>) -> Result<Service> {
        let extra = "addresses: {allow: [127.0.0.0/8]}\n";
        let environment = ca.map(|ca| ("SSL_CERT_FILE", ca.as_os_str()));
        self.start("checker", extra, "info", environment.as_slice())
    }

    /// Starts a service with everything else by default.
    fn start(
        &self,
        program: &str,
        extra: &str,
        filter: &str,
        environment: &[(&str, &OsStr)],
    ) -> Result<Service> {
        let listen = free_address();
        let (url, brokers, topic) = (self.database.url(), brokers(), self.topic.name());
        let config = format!(
            "database: {{url: {url:?}}}\n\
             kafka: {{brokers: [{brokers:?}], topic: {topic:?}}}\n\
             http: {{listen: \"{listen}\"}}\n\
             log: {{format: json, filter: {filter:?}}}\n{extra}"
        );
        let path = self.folder.join(format!("{program}.yaml"));
        std::fs::write(&path, config).wrap_err_with(|| format!("write {}", path.display()))?;
        let arguments = ["run".as_ref(), "--config".as_ref(), path.as_os_str()];
        let process = Process::start(&sibling(program)?, arguments, environment, &self.folder)?;
        Ok(Service { process, listen })
    }

    /// Spares the broker's disk.
    pub(crate) async fn delete_topic(&self) {
        self.topic.delete().await;
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.delete_topic().await;
    }
}

impl Service {
    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        self.process.answers(self.listen, "/readyz").await
    }
}
