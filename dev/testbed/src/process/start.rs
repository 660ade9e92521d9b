//! How a program is started: with which arguments, environment, limits and outputs.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::{Finished, Process};
use crate::memory::MemoryGroup;
use crate::wall_clock::WallClock;

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
}

/// What starts a program of this workspace.
fn command<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(binary(program));
    command.args(arguments);
    prepare(&mut command);
    command
}

/// What a failed test shows is to be read, whatever the developer's own terminal likes. A program warns of proxies in
/// its environment, so it gets none from there.
fn prepare(command: &mut Command) {
    command.env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
    for name in ["all_proxy", "http_proxy", "https_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
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
