//! Processes: parts that report, and services that run until they are stopped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use color_eyre::eyre::{OptionExt as _, Result, WrapErr as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::kernel;
use crate::parts::Report;

/// How long a service may take to be ready, and to stop.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(20);
/// How much of a log is shown when its process fails.
const TAIL_LINES: usize = 15;

/// A process that runs until it is stopped, or at the latest until it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    /// What it is called.
    name: String,
    /// The process.
    child: Child,
    /// What it says on standard error.
    log: PathBuf,
    /// What it says on standard output.
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a program with these arguments and this environment; its log goes to `folder`.
    pub(crate) fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &OsStr)],
        folder: &Path,
    ) -> Result<Self> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let log = folder.join(format!("{name}.log"));
        let stderr = File::create(&log).wrap_err_with(|| format!("create {}", log.display()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .wrap_err_with(|| format!("start {}", program.display()))?;
        let stdout = child.stdout.take().ok_or_eyre("a pipe")?;
        Ok(Self {
            name: name.into_owned(),
            child,
            log,
            said: BufReader::new(stdout).lines(),
        })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().ok_or_eyre("the process has ended")
    }

    /// Its CPU time so far, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        kernel::cpu(self.pid()?)
    }

    /// The most memory it ever had, in KiB.
    pub(crate) fn peak_kib(&self) -> Result<f64> {
        kernel::peak_kib(self.pid()?)
    }

    /// The next line that it says on standard output.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let line = self.said.next_line().await;
        match line.wrap_err("read what a process says")? {
            Some(line) => Ok(line),
            None => bail!("{} ended early: {}", self.name, self.tail()),
        }
    }

    /// Waits until `page` of its own answers 200.
    pub(crate) async fn answers(&mut self, address: SocketAddr, page: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = testbed::get(address, page).await.unwrap_or_default();
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            self.check()?;
            ensure!(
                Instant::now() < end,
                "{} is not ready after {PATIENCE:?}: {}",
                self.name,
                self.tail()
            );
            sleep(PAUSE).await;
        }
    }

    /// Fails if it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait().wrap_err("look after a process")? {
            bail!("{} ended ({status}): {}", self.name, self.tail());
        }
        Ok(())
    }

    /// Lets it stand still until it is to go on.
    pub(crate) fn halt(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Sends it a signal.
    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_eyre("the number of a process")?;
        kill_process(pid, signal).wrap_err_with(|| format!("send {signal:?} to {}", self.name))
    }

    /// Ends it as `docker stop` would, and waits until it is gone.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => drop(ended.wrap_err("wait for a process")?),
            Err(_) => bail!("{} does not end: {}", self.name, self.tail()),
        }
        Ok(())
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of its log.
    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let start = lines.len().saturating_sub(TAIL_LINES);
        lines.get(start..).unwrap_or_default().join("\n")
    }
}

/// This program.
pub(crate) fn myself() -> Result<PathBuf> {
    std::env::current_exe().wrap_err("find this program")
}

/// A program of webmon, which lies beside this one.
pub(crate) fn sibling(program: &str) -> Result<PathBuf> {
    let path = myself()?.with_file_name(program);
    ensure!(
        path.is_file(),
        "{} is missing: run ci/bench, which builds it",
        path.display()
    );
    Ok(path)
}

/// Runs a part to its end, and returns what it took; all that it does must end well.
pub(crate) async fn part<A: AsRef<OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = A>,
    folder: &Path,
) -> Result<Report> {
    let arguments = arguments.into_iter().map(|one| one.as_ref().to_owned());
    let arguments = ["part".into(), name.into()].into_iter().chain(arguments);
    let mut process = Process::start(&myself()?, arguments, &[], folder)?;
    let line = process.line().await.wrap_err_with(|| name.to_owned())?;
    let report: Report =
        serde_json::from_str(&line).wrap_err_with(|| format!("{name} says {line:?}"))?;
    ensure!(report.done > 0, "{name} has done nothing");
    ensure!(
        report.failed == 0,
        "{name}: {} of {} failed",
        report.failed,
        report.done
    );
    Ok(report)
}
