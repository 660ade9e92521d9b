//! The real programs, as processes of their own.
//!
//! What a process says is kept in files. A process that is dropped is killed; in a test that fails
//! it first shows the end of what it said.

#![expect(
    clippy::print_stderr,
    reason = "a test that fails shows what the processes said"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use crate::memory::MemoryGroup;
use crate::wait::eventually;
use crate::wall_clock::WallClock;

/// How many lines a failed test shows of each process.
const TAIL_LINES: usize = 30;

/// A running program of webmon.
#[derive(Debug)]
pub struct Process {
    /// What the test calls it.
    name: String,
    /// The process itself.
    child: Child,
    /// Its standard output.
    stdout: NamedTempFile,
    /// Its standard error.
    stderr: NamedTempFile,
}

/// A program that has ended by itself.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// All it said on standard output.
    pub stdout: String,
    /// All it said on standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a program of this workspace; `name` is for the messages of a failed test.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::launch(name, &command(program, arguments))
    }

    /// The same, and it goes by this wall clock.
    pub(crate) fn start_by<A: AsRef<OsStr>>(
        clock: &WallClock,
        name: &str,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = command(program, arguments);
        command.envs(clock.environment());
        Self::launch(name, &command)
    }

    /// The same, by another program that it replaces, as `nohup` is.
    pub fn start_by_way_of<A: AsRef<OsStr>>(
        starter: &str,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(starter);
        command.arg(binary(program)).args(arguments);
        Self::launch(program, &command)
    }

    /// Starts it with these limits of open files, the soft one and the hard one.
    pub fn start_with_files<A: AsRef<OsStr>>(
        [soft, hard]: [u32; 2],
        name: &str,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
        command
            .args(["-c", &script])
            .arg(binary(program))
            .args(arguments);
        prepare(&mut command);
        Self::launch(name, &command)
    }

    /// How many files it may have open, and how many it could allow itself.
    pub fn files_allowed(&self) -> [u64; 2] {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id()));
        let limits = limits.expect("a process that runs has limits");
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"));
        let numbers = line.expect("a limit of open files").split_whitespace();
        let numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().expect("two limits")
    }

    /// Starts it in a control group.
    pub fn start_in<A: AsRef<OsStr>>(
        group: &MemoryGroup,
        name: &str,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = group.command();
        command.arg(binary(program)).args(arguments);
        prepare(&mut command);
        Self::launch(name, &command)
    }

    /// Starts any program.
    pub(crate) fn launch(name: &str, command: &Command) -> Self {
        let stdout = NamedTempFile::new().expect("a temporary file");
        let stderr = NamedTempFile::new().expect("a temporary file");
        let child = hearing_hang_ups(command)
            .stdin(Stdio::null())
            .stdout(reopened(&stdout))
            .stderr(reopened(&stderr))
            .spawn();
        Self {
            name: name.to_owned(),
            child: child.unwrap_or_else(|error| panic!("{name} does not start: {error}")),
            stdout,
            stderr,
        }
    }

    /// Runs a program of this workspace to its end.
    pub async fn run<A: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = A>,
        deadline: Duration,
    ) -> Finished {
        Self::start(program, program, arguments)
            .finish(deadline)
            .await
    }

    /// The same, with more variables in its environment.
    pub async fn run_with<A: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
        deadline: Duration,
    ) -> Finished {
        let mut command = command(program, arguments);
        command.envs(variables.iter().copied());
        Self::launch(program, &command).finish(deadline).await
    }

    /// What the test calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number in `/proc`.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would: nothing in it notices.
    pub fn kill(mut self) {
        self.crash();
    }

    /// The same, and what it said can still be read.
    pub fn crash(&mut self) {
        self.child.kill().expect("a process of ours can be killed");
        self.child.wait().expect("a killed process ends");
    }

    /// Asks it to end, as `docker stop` and systemd do.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to end, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Tells it that its terminal is gone, or a service that its configuration has changed.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Stands it still, as a debugger or a paused virtual machine does.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal; one that has ended, and was waited for, gets none.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), signal).expect("a process of ours");
    }

    /// Waits until it ends by itself; returns its exit code.
    pub async fn wait(&mut self, deadline: Duration) -> i32 {
        let what = format!("{} ends", self.name);
        let status = eventually(deadline, &what, async || self.ended()).await;
        status.code().unwrap_or_else(|| {
            panic!("{} was ended by signal {:?}", self.name, status.signal());
        })
    }

    /// Waits until it ends by itself; returns all there is to know of it.
    pub async fn finish(mut self, deadline: Duration) -> Finished {
        Finished {
            code: self.wait(deadline).await,
            stdout: read(&self.stdout),
            stderr: read(&self.stderr),
        }
    }

    /// The most it ever had in memory, in MiB.
    pub fn peak_mib(&self) -> u64 {
        self.status_mib("VmHWM:")
    }

    /// What it has in memory of its own now, in MiB: without the files of programs.
    pub fn own_mib(&self) -> u64 {
        self.status_mib("RssAnon:")
    }

    /// A number of its status, in MiB.
    fn status_mib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process that runs has a status");
        let number = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = number.and_then(|number| number.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the kernel counts memory in kB") / 1_024
    }

    /// Fails the test if it has ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended by itself: {status}", self.name);
        }
    }

    /// Waits until it has said `text`, on either stream; returns the first line with it.
    pub async fn line_seen(&mut self, text: &str, deadline: Duration) -> String {
        let what = format!("{} says {text:?}", self.name);
        eventually(deadline, &what, async || {
            let said = self.said();
            let line = said.lines().find(|line| line.contains(text));
            if line.is_none() {
                self.assert_running();
            }
            line.map(str::to_owned)
        })
        .await
    }

    /// All it has said so far: standard output, then standard error.
    pub fn said(&self) -> String {
        read(&self.stdout) + &read(&self.stderr)
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a process of ours")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<_> = said.lines().collect();
            let tail = &lines
                .get(lines.len().saturating_sub(TAIL_LINES)..)
                .unwrap_or_default();
            eprintln!(
                "--- the end of {}'s log ---\n{}\n---",
                self.name,
                tail.join("\n")
            );
        }
    }
}

/// What starts a program of this workspace.
fn command<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(binary(program));
    command.args(arguments);
    prepare(&mut command);
    command
}

/// What a failed test shows is to be read, whatever the developer's own terminal likes.
fn prepare(command: &mut Command) {
    command.env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
}

/// The same program, to which a hang-up means what it means by default: `nohup` before the tests would have all
/// of them ignore it.
fn hearing_hang_ups(command: &Command) -> Command {
    let mut hearing = Command::new("env");
    hearing
        .arg("--default-signal=HUP")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => hearing.env(name, value),
            None => hearing.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        hearing.current_dir(folder);
    }
    hearing
}

/// Where Cargo put a program of this workspace: beside the folder of the test itself.
pub(crate) fn binary(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(|deps| deps.parent());
    let path = folder.expect("the target folder").join(program);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first",
        path.display()
    );
    path
}

/// The same file once more, for the child to write to.
fn reopened(file: &NamedTempFile) -> File {
    file.as_file().try_clone().expect("one more descriptor")
}

/// All that is in a file.
fn read(file: &NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).expect("a file of ours");
    String::from_utf8_lossy(&bytes).into_owned()
}
