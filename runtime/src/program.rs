//! A program of webmon: what its `main` does before and after the work.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use color_eyre::config::{HookBuilder, Theme};
use color_eyre::eyre::{self, Report};

use crate::shutdown::{Usage, exit_code};

/// What is wrong has been said on standard output: exit code 1 without another word.
#[derive(Debug, thiserror::Error)]
#[error("said on standard output")]
pub struct Said;

/// Makes panics and errors readable; in colour on a terminal only. The first thing that a `main` does.
pub fn prepare() -> eyre::Result<()> {
    let hooks = HookBuilder::default().display_env_section(false);
    let plain = !io::stderr().is_terminal();
    (if plain {
        hooks.theme(Theme::new())
    } else {
        hooks
    })
    .install()
}

/// An error of whoever called the program, or wrote its files: exit code 2.
pub fn usage(error: impl Display) -> Report {
    Report::new(Usage(error.to_string()))
}

/// Says on standard error what went wrong, if anything did, and turns it into an exit code.
pub fn report(program: &str, result: &eyre::Result<()>) -> ExitCode {
    if let Err(error) = result
        && !error.is::<Said>()
    {
        // Nobody is left to tell if standard error is gone.
        drop(writeln!(io::stderr(), "{program}: {error:#}"));
    }
    exit_code(result)
}

/// Says something on standard output; an output that nobody reads any more is no error.
pub fn say(text: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}
