//! A terminal with a program in it, which can be closed as a window is.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, binary};
use crate::wait::eventually;

/// What an interactive shell does for its jobs: it passes a hang-up on, and outlives them here, to tell how they
/// ended. The first argument is a file for the exit code, the rest is the program.
const SHELL: &str = r#"
    code=$1; shift
    trap 'kill -s HUP "$job"' HUP
    "$@" & job=$!
    while wait "$job"; ended=$?; kill -s 0 "$job" 2>/dev/null; do :; done
    echo "$ended" >"$code.new" && mv "$code.new" "$code"
"#;

/// A terminal with a program of this workspace in it.
#[derive(Debug)]
pub struct Terminal {
    /// What draws it: `script` of util-linux.
    script: Process,
    /// Where the exit code will be.
    code: PathBuf,
    /// The folder of that.
    _folder: TempDir,
}

impl Terminal {
    /// Starts a program in a terminal of its own.
    pub fn start<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let code = folder.path().join("code");
        let mut words = vec![
            quoted(code.as_os_str()),
            quoted(binary(program).as_os_str()),
        ];
        words.extend(arguments.into_iter().map(|word| quoted(word.as_ref())));
        let job = format!(
            "exec sh -c {} sh {}",
            quoted(SHELL.as_ref()),
            words.join(" ")
        );
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--flush", "--command", &job, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("NO_COLOR", "1");
        Self {
            script: Process::launch(program, &command),
            code,
            _folder: folder,
        }
    }

    /// What is drawn: all that the program says.
    pub fn shown(&mut self) -> &mut Process {
        &mut self.script
    }

    /// Closes the terminal; returns the program's exit code.
    pub async fn close(mut self, deadline: Duration) -> i32 {
        self.script.crash();
        eventually(deadline, "the program in the terminal ends", async || {
            let code = std::fs::read_to_string(&self.code).ok()?;
            code.trim().parse().ok()
        })
        .await
    }
}

/// A word of a shell.
fn quoted(word: &OsStr) -> String {
    let word = word.to_str().expect("the words of tests are UTF-8");
    format!("'{}'", word.replace('\'', r"'\''"))
}
