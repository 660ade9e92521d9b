//! The `main` of webmon's programs: what each does before and after its work.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use color_eyre::config::{HookBuilder, Theme};
use color_eyre::eyre::{self, Report};
use contract::passwords::without_passwords;
use contract::text::harmless_lines;
use tokio::runtime::Runtime;

use crate::config::Configuration;
use crate::descriptors;
use crate::quota::Quota;
use crate::shutdown::{Usage, exit_code};
use crate::telemetry::{Logs, start_logs};

/// What is wrong has been said on standard output: exit code 1 without another word.
#[derive(Debug, thiserror::Error)]
#[error("said on standard output")]
pub struct Said;

/// How long the end of a program waits for threads that wait in their turn: for a broker, or a file.
const LEAVE_LIMIT: Duration = Duration::from_millis(500);

/// The `main` of a program: reads the command line, prepares the process, and does what was asked for.
pub fn main<A, F>(program: &str, execute: impl FnOnce(A) -> F) -> ExitCode
where
    A: Parser,
    F: Future<Output = eyre::Result<()>>,
{
    match arguments() {
        Ok(arguments) => run(program, async {
            prepare()?;
            execute(arguments).await
        }),
        Err(code) => code,
    }
}

/// Reads the configuration that a command works by, and starts the logs as it says.
pub fn configure<C: Configuration>(file: &Path) -> eyre::Result<(C, Logs)> {
    let config = C::load(file).map_err(usage)?;
    let logs = start_logs(config.log())?;
    Ok((config, logs))
}

/// The command line. What is wrong with it is told without the passwords of the addresses in it.
fn arguments<A: Parser>() -> Result<A, ExitCode> {
    A::try_parse().map_err(|error| {
        let plain = error.render().to_string();
        let shown = without_passwords(&plain);
        // There is no other place to say it if standard error is gone.
        drop(if shown == plain {
            error.print()
        } else {
            write!(io::stderr(), "{shown}")
        });
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Runs a program to its end.
///
/// What is still under way then does not hold up the end: the process was told to end at once, or its
/// deadline has passed.
fn run(program: &str, work: impl Future<Output = eyre::Result<()>>) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(program, &Err(error.into())),
    };
    let code = report(program, &runtime.block_on(work));
    runtime.shutdown_timeout(LEAVE_LIMIT);
    code
}

/// Raises the limit of open files, and makes panics and errors readable; in colour on a terminal only.
pub fn prepare() -> eyre::Result<()> {
    descriptors::raise();
    let hooks = HookBuilder::default().display_env_section(false);
    let plain = !io::stderr().is_terminal();
    let hooks = if plain {
        hooks.theme(Theme::new())
    } else {
        hooks
    };
    let (panics, errors) = hooks.into_hooks();
    errors.install()?;
    let (show, quota) = (panics.into_panic_hook(), Mutex::new(Quota::new()));
    panic::set_hook(Box::new(move |panic| {
        // A site that makes each of its checks panic shall not fill the log.
        let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota.say(|left_out| {
            if let Some(left_out) = left_out {
                tracing::error!(left_out, "panics were not shown");
            }
            show(panic);
        });
    }));
    Ok(())
}

/// An error in how the program was called, or in its files: exit code 2.
pub fn usage(error: impl Display) -> Report {
    Report::new(Usage(error.to_string()))
}

/// Says on standard error what went wrong, if anything did, and turns it into an exit code.
pub fn report(program: &str, result: &eyre::Result<()>) -> ExitCode {
    if let Err(error) = result
        && !error.is::<Said>()
    {
        // What people write in the wrong place, such as an address for a file, is quoted.
        let said = without_passwords(&format!("{error:#}"));
        // There is no other place to say it if standard error is gone.
        drop(writeln!(
            io::stderr(),
            "{}",
            harmless_lines(&format!("{program}: {said}"))
        ));
    }
    exit_code(result)
}

/// Warns on standard error of what a command was not asked about; a gone standard error is no error.
pub fn warn(text: impl Display) {
    let text = text.to_string();
    drop(writeln!(io::stderr(), "warning: {}", harmless_lines(&text)));
}

/// What a terminal that was closed answers (EIO).
const TERMINAL_GONE: i32 = 5;

/// Says something on standard output, on one or more lines that do a terminal no harm; an output that
/// nothing reads any more is no error.
pub fn say(text: impl Display) -> io::Result<()> {
    let text = text.to_string();
    unless_closed(writeln!(io::stdout(), "{}", harmless_lines(&text)))
}

/// What became of writing to an output that another program may close early, as `head` does: that is no
/// error.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if is_gone(&error) => Ok(()),
        written => written,
    }
}

/// Whether the reader of an output is gone: the other end of a pipe, or a terminal.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(TERMINAL_GONE)
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use color_eyre::eyre::eyre;
    use tokio::task::spawn_blocking;

    use super::*;

    #[test]
    fn an_output_whose_reader_is_gone_is_told_from_one_that_fails() {
        let error = io::Error::from_raw_os_error;
        // EPIPE, and EIO of a terminal that was closed
        assert!(is_gone(&error(32)) && is_gone(&error(5)));
        // ENOSPC
        assert!(!is_gone(&error(28)));
    }

    #[test]
    fn a_thread_that_waits_for_somebody_else_does_not_hold_up_the_end() {
        let started = Instant::now();
        let code = run("test", async {
            drop(spawn_blocking(|| {
                thread::park_timeout(Duration::from_mins(1));
            }));
            Err(eyre!("told to end at once"))
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
