//! The real programs, as processes of their own.
//!
//! What a process says is kept in files. A process that is dropped is killed; in a test that fails
//! it first shows the end of what it said.

#![expect(
    clippy::print_stderr,
    reason = "a test that fails shows what the processes said"
)]

mod start;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use crate::wait::eventually;

pub(crate) use start::binary;

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

/// All that is in a file.
fn read(file: &NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).expect("a file of ours");
    String::from_utf8_lossy(&bytes).into_owned()
}
