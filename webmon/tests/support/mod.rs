//! A data folder and a sites file for `webmon up`.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::ffi::OsStr;
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tempfile::TempDir;
use testbed::{Finished, Process, eventually, free_address, get};
use webmon::postgres::OwnPostgres;

/// How long it may take to be ready: the first time a `PostgreSQL` is made.
const READY: Duration = Duration::from_mins(1);

/// How long a `PostgreSQL` may take to end at once.
const ENDED: Duration = Duration::from_secs(5);

/// What `webmon up` works with. Its `PostgreSQL`, which outlives a killed webmon, ends with this.
pub(crate) struct Standalone {
    /// Where it keeps everything; the user of its `PostgreSQL` must get through.
    _folder: TempDir,
    /// `--data`.
    data: PathBuf,
    /// `--sites`.
    sites: PathBuf,
    /// `--config`.
    config: PathBuf,
    /// `http.listen`.
    listen: SocketAddr,
    /// Further lines of the configuration.
    extra: &'static str,
}

impl Standalone {
    /// A new data folder, and a sites file with these contents.
    pub(crate) fn with(sites: &str) -> Self {
        Self::configured(sites, "")
    }

    /// The same, with further lines of configuration.
    pub(crate) fn configured(sites: &str, extra: &'static str) -> Self {
        let through = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new()
            .permissions(through)
            .tempdir()
            .unwrap();
        let file = |name| folder.path().join(name);
        let listen = free_address();
        let standalone = Self {
            data: file("data"),
            sites: file("sites.yaml"),
            config: file("config.yaml"),
            listen,
            extra,
            _folder: folder,
        };
        std::fs::write(&standalone.sites, sites).unwrap();
        standalone.listen_on(listen);
        standalone
    }

    /// Runs a second `webmon up` on the same data, whose `http.listen` is no obstacle.
    pub(crate) async fn up_again(&self, deadline: Duration) -> Finished {
        self.listen_on(free_address());
        let second = Process::run("webmon", self.arguments(), deadline).await;
        self.listen_on(self.listen);
        second
    }

    /// Runs `webmon audit`.
    pub(crate) async fn audit(&self, deadline: Duration) -> Finished {
        let [_, _, _, data, folder, config, file] = self.arguments();
        let arguments = ["audit".as_ref(), "--since".as_ref(), "1h".as_ref()];
        let arguments = arguments.into_iter().chain([data, folder, config, file]);
        Process::run("webmon", arguments.collect::<Vec<_>>(), deadline).await
    }

    /// Writes the configuration.
    fn listen_on(&self, listen: SocketAddr) {
        let config = format!("http: {{listen: \"{listen}\"}}\nlog: {{format: text}}\n");
        std::fs::write(&self.config, config + self.extra).unwrap();
    }

    /// Runs `webmon up` and waits until it is ready.
    pub(crate) async fn up(&self, name: &str) -> Process {
        self.ready(Process::start(name, "webmon", self.arguments()))
            .await
    }

    /// The same, started by another program.
    pub(crate) async fn up_by(&self, starter: &str) -> Process {
        let process = Process::start_by_way_of(starter, "webmon", self.arguments());
        self.ready(process).await
    }

    /// Waits until `webmon up` is ready.
    async fn ready(&self, mut process: Process) -> Process {
        eventually(READY, "webmon up is ready", async || {
            process.assert_running();
            let answer = get(self.listen, "/readyz").await?;
            answer.starts_with("HTTP/1.1 200").then_some(())
        })
        .await;
        process
    }

    /// The arguments of `webmon up`.
    pub(crate) fn arguments(&self) -> [&OsStr; 7] {
        [
            "up".as_ref(),
            "--sites".as_ref(),
            self.sites.as_os_str(),
            "--data".as_ref(),
            self.data.as_os_str(),
            "--config".as_ref(),
            self.config.as_os_str(),
        ]
    }

    /// `--data`.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A pool on its database, while it runs.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let postgres = OwnPostgres::start(&self.data).await.unwrap();
        let mut options = ConnectOptions::new(postgres.url());
        options.sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }

    /// Whether its `PostgreSQL` runs.
    pub(crate) fn postgres_runs(&self) -> bool {
        self.postgres()
            .is_some_and(|pid| test_kill_process(pid).is_ok())
    }

    /// The process of its `PostgreSQL`, as its own file says.
    fn postgres(&self) -> Option<Pid> {
        let file = self.data.join("postgres/cluster/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        let Some(pid) = self.postgres() else {
            return;
        };
        // The immediate shutdown, as the files go next. It is no child of ours, so it is asked for.
        if kill_process(pid, Signal::QUIT).is_err() {
            return;
        }
        let end = Instant::now() + ENDED;
        while test_kill_process(pid).is_ok() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}
