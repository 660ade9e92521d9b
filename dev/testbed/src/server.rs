//! A server that a test has for itself, so that it may be killed: `ci/server` makes and runs it.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rustix::process::Signal;
use sea_orm::{ConnectOptions, Database};

use crate::disk::Disk;
use crate::process::Process;
use crate::wait::eventually;

/// How long a server may take to answer.
const START: Duration = Duration::from_mins(1);
/// How long a server is asked at a time whether it is there.
const QUESTION: Duration = Duration::from_secs(1);
/// How long a `PostgreSQL` may take to end at once, with its children.
const ENDING: Duration = Duration::from_secs(10);

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `PostgreSQL`.
    Postgres,
    /// Apache Kafka.
    Kafka,
}

/// A server of a test's own, which runs or not; its data stays until it is [wiped](Server::wipe).
#[derive(Debug)]
pub struct Server {
    /// Which one.
    kind: Kind,
    /// Where it has everything.
    folder: PathBuf,
    /// Where it listens.
    port: u16,
    /// What `ci/server` is told.
    arguments: Vec<OsString>,
    /// Lines for the end of a broker's `server.properties`.
    properties: String,
    /// It, while it runs, or until it is noticed that it does not.
    process: Option<Process>,
    /// The disk that its data is on, if that is one of its own.
    disk: Option<Disk>,
}

impl Server {
    /// A `PostgreSQL` in a folder that other users can get through; it does not run yet.
    pub fn postgres(folder: &Path, port: u16) -> Self {
        Self::new(Kind::Postgres, folder, port, &[])
    }

    /// The same, with its data on a disk of so many MiB of its own; see [`lacks_disks`](crate::lacks_disks).
    pub async fn postgres_on(mib: u32, folder: &Path, port: u16) -> Self {
        let mut server = Self::postgres(folder, port);
        server.disk = Some(Disk::make(&script(), &server.folder, mib).await);
        server
    }

    /// A broker on `port`, and for each of `proxies` (addresses of loopback) on `port + 3` and
    /// following, which clients are told to reach through that proxy; it does not run yet.
    pub fn kafka(folder: &Path, port: u16, proxies: &[SocketAddr]) -> Self {
        Self::new(Kind::Kafka, folder, port, proxies)
    }

    /// The same, with more lines in its `server.properties`; the last word on a property counts.
    #[must_use]
    pub fn with(mut self, properties: &str) -> Self {
        properties.clone_into(&mut self.properties);
        self
    }

    /// A file of the broker's certificates, such as `service.cert`.
    pub fn certificate(&self, file: &str) -> PathBuf {
        self.folder.join("certs").join(file)
    }

    /// A server that does not run.
    fn new(kind: Kind, folder: &Path, port: u16, proxies: &[SocketAddr]) -> Self {
        let name = match kind {
            Kind::Postgres => "postgres",
            Kind::Kafka => "kafka",
        };
        let folder = folder.join(name);
        let mut arguments = vec![name.into(), folder.clone().into(), port.to_string().into()];
        arguments.extend(proxies.iter().map(|proxy| proxy.port().to_string().into()));
        Self {
            kind,
            folder,
            port,
            arguments,
            properties: String::new(),
            process: None,
            disk: None,
        }
    }

    /// Starts it, unless it runs; it will take seconds to answer, and a `PostgreSQL` whose children
    /// outlive it for a moment does not start at all.
    ///
    /// Not from a thread that ends before the server may: the kernel would end it too.
    pub fn start(&mut self) {
        if self.is_running() {
            return;
        }
        let anywhere = || Command::new("env");
        let mut command = self.disk.as_ref().map_or_else(anywhere, Disk::command);
        // By name, as a build's sandbox has no /usr/bin/env.
        command.arg("bash").arg(script()).args(&self.arguments);
        command.env("KAFKA_PROPERTIES", &self.properties);
        self.process = Some(Process::launch(self.name(), &command));
    }

    /// Whether it runs; it may not answer yet.
    pub fn is_running(&mut self) -> bool {
        let ended = self.process.as_mut().map(Process::ended);
        ended.is_some_and(|status| status.is_none())
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.crash();
        }
    }

    /// Asks a `PostgreSQL` to end without ado (SIGQUIT).
    pub fn quit(&mut self) {
        if self.is_running() {
            self.signal(Signal::QUIT);
        }
    }

    /// Stands it still.
    pub fn freeze(&mut self) {
        if self.is_running() {
            self.signal(Signal::STOP);
        }
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        if self.is_running() {
            self.signal(Signal::CONT);
        }
    }

    /// Leaves not a byte free on its own disk.
    pub fn fill(&self) {
        self.disk.as_ref().expect("a disk of its own").fill();
    }

    /// Makes room on its own disk again.
    pub fn free(&self) {
        if let Some(disk) = &self.disk {
            disk.free();
        }
    }

    /// Ends it and keeps what is on its own disk, which otherwise is gone with it.
    pub fn keep(&mut self) {
        if let Some(disk) = self.disk.take() {
            self.end();
            disk.keep();
        }
    }

    /// Kills it and removes its data.
    pub fn wipe(&mut self) {
        self.kill();
        drop(std::fs::remove_dir_all(self.folder.join("data")));
    }

    /// Waits until it answers.
    pub async fn ready(&self) {
        let what = format!("{} answers (see {})", self.name(), self.log().display());
        eventually(START, &what, async || self.answers().await.then_some(())).await;
    }

    /// Whether it answers.
    pub async fn answers(&self) -> bool {
        match self.kind {
            Kind::Postgres => {
                let mut options = ConnectOptions::new(self.url());
                options.sqlx_logging(false).connect_timeout(QUESTION);
                let connected = Database::connect(options).await;
                let Ok(connection) = connected else {
                    return false;
                };
                connection.close().await.is_ok()
            }
            Kind::Kafka => {
                let mut config = ClientConfig::new();
                config.set("bootstrap.servers", self.address().to_string());
                let asking = tokio::task::spawn_blocking(move || {
                    let consumer: BaseConsumer = config.create()?;
                    consumer.fetch_metadata(None, QUESTION)
                });
                let answer = asking.await.expect("a thread to ask on");
                answer.is_ok_and(|metadata| !metadata.brokers().is_empty())
            }
        }
    }

    /// What it said last.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name()))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The address of a `PostgreSQL`'s database.
    pub fn url(&self) -> String {
        database_url(self.address())
    }

    /// Ends it, for good. A `PostgreSQL` that is just killed leaves shared memory behind.
    fn end(&mut self) {
        if self.kind == Kind::Postgres {
            self.quit();
            let end = Instant::now() + ENDING;
            while self.is_running() && Instant::now() < end {
                std::thread::park_timeout(Duration::from_millis(10));
            }
        }
    }

    /// What messages call it.
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "postgres",
            Kind::Kafka => "kafka",
        }
    }

    /// Sends a signal.
    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }
}

/// What makes servers and runs them.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/server")
}

/// The database of a `PostgreSQL` that is reached at this address.
pub fn database_url(address: SocketAddr) -> String {
    format!("postgres://postgres@{address}/postgres")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
