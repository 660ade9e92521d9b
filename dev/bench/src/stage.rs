//! What the rows stand on: the servers of `ci/services`, a folder, targets, and the size of it all.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use color_eyre::eyre::{OptionExt as _, Result, WrapErr as _};
use tempfile::TempDir;

use crate::kernel;
use crate::process::{Process, myself};

/// What to stand on, and how much is measured.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    /// A folder with gatus, cloudprober and `blackbox_exporter`; without it they are taken from PATH
    #[arg(long, value_name = "DIR", env = "BENCH_PEERS")]
    peers: Option<PathBuf>,
    /// A small trial of everything: its figures are worth nothing
    #[arg(long)]
    quick: bool,
    /// PostgreSQL's first process
    #[arg(long, hide = true, env = "WEBMON_TEST_POSTGRES_PID")]
    postgres_pid: u32,
    /// Kafka's process
    #[arg(long, hide = true, env = "WEBMON_TEST_KAFKA_PID")]
    kafka_pid: u32,
    /// Where programs are looked for
    #[arg(long, hide = true, env = "PATH")]
    path: std::ffi::OsString,
}

/// What the rows stand on.
#[derive(Debug)]
pub(crate) struct Stage {
    /// How it was asked for.
    settings: Settings,
    /// For configurations and logs.
    folder: TempDir,
}

impl Stage {
    /// An empty stage.
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let folder = TempDir::new().wrap_err("make a temporary folder")?;
        Ok(Self { settings, folder })
    }

    /// Whether this is a small trial.
    pub(crate) const fn is_quick(&self) -> bool {
        self.settings.quick
    }

    /// What is right for a full measurement, or for a small trial.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.settings.quick { quick } else { full }
    }

    /// How often runs are repeated, in turn.
    pub(crate) fn repeats(&self) -> std::ops::Range<usize> {
        0..self.pick(3, 1)
    }

    /// A folder for configurations and logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The CPU time of PostgreSQL so far, in seconds.
    pub(crate) fn postgres_cpu(&self) -> Result<f64> {
        kernel::tree_cpu(self.settings.postgres_pid)
    }

    /// The CPU time of Kafka so far, in seconds.
    pub(crate) fn kafka_cpu(&self) -> Result<f64> {
        kernel::tree_cpu(self.settings.kafka_pid)
    }

    /// A rival's program, if it is there.
    pub(crate) fn peer(&self, name: &str) -> Option<PathBuf> {
        let folders = match &self.settings.peers {
            Some(folder) => vec![folder.clone()],
            None => std::env::split_paths(&self.settings.path).collect(),
        };
        let paths = folders.into_iter().map(|folder| folder.join(name));
        let found = paths.into_iter().find(|path| path.is_file());
        found.and_then(|path| path.canonicalize().ok())
    }
}

/// How long the website takes to answer, in milliseconds, unless a row wants it otherwise.
const DELAY_MS: u64 = 100;

/// The website that all probe, as a process of its own.
#[derive(Debug)]
pub(crate) struct Website {
    /// The process.
    process: Process,
    /// What can be asked.
    pub(crate) urls: Vec<String>,
    /// Where it says how often it has answered; that needs no TLS.
    addresses: Vec<SocketAddr>,
    /// The authority to trust, for TLS.
    pub(crate) ca: Option<PathBuf>,
}

impl Website {
    /// Without TLS.
    pub(crate) async fn plain(stage: &Stage) -> Result<Self> {
        Self::start(stage, None, DELAY_MS).await
    }

    /// The same, answering after so long.
    pub(crate) async fn plain_after(stage: &Stage, delay_ms: u64) -> Result<Self> {
        Self::start(stage, None, delay_ms).await
    }

    /// With TLS.
    pub(crate) async fn tls(stage: &Stage) -> Result<Self> {
        Self::start(stage, Some(stage.folder().join("targets-ca.pem")), DELAY_MS).await
    }

    /// Starts it.
    async fn start(stage: &Stage, ca: Option<PathBuf>, delay_ms: u64) -> Result<Self> {
        let delay = delay_ms.to_string();
        let mut arguments: Vec<&OsStr> = vec!["part".as_ref(), "target".as_ref()];
        arguments.extend(["--delay-ms".as_ref(), OsStr::new(&delay)]);
        if let Some(ca) = &ca {
            arguments.extend(["--ca".as_ref(), ca.as_os_str()]);
        }
        let mut process = Process::start(&myself()?, arguments, &[], stage.folder())?;
        let line = process.line().await.wrap_err("start the targets")?;
        let addresses = line.split(' ').map(str::parse::<SocketAddr>);
        let addresses: Vec<_> = addresses.collect::<Result<_, _>>().wrap_err("targets")?;
        let scheme = if ca.is_some() { "https" } else { "http" };
        Ok(Self {
            process,
            urls: addresses
                .iter()
                .map(|at| format!("{scheme}://{at}/"))
                .collect(),
            addresses,
            ca,
        })
    }

    /// How often it has answered.
    pub(crate) async fn answers(&self) -> Result<f64> {
        let address = *self.addresses.first().ok_or_eyre("no target")?;
        let answer = testbed::get(address, "/count").await.unwrap_or_default();
        let count = answer.lines().last().and_then(|line| line.parse().ok());
        count.ok_or_eyre("the targets do not say how often they have answered")
    }

    /// Its CPU time so far, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        self.process.cpu()
    }
}
