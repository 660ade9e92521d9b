//! What webmon costs, measured against what a user would pick instead.
//!
//! Each [row](rows) of the table runs webmon and its rivals in turn, each as a [process] of its own whose
//! CPU time and memory the [kernel] accounts for: webmon's real programs, or [parts] of them. A row says
//! what it found in lines of the [table]; a [mod@report] of all rows has the machine, the date and the commit.

mod figures;
mod flow;
mod kernel;
mod parts;
mod peers;
mod process;
mod report;
mod rows;
mod stage;
mod table;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use color_eyre::eyre::Result;
use runtime::program::{prepare, report};

use crate::parts::Part;
use crate::report::Wanted;

/// Measures webmon against its rivals; started by `ci/bench`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What to do
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
enum Command {
    /// Measure rows of the table: those named, or all
    Rows(Wanted),
    /// One side of a row, in a process of its own
    #[command(hide = true)]
    Part {
        /// Which
        #[command(subcommand)]
        part: Part,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report("bench", &execute(arguments).await)
}

/// Does what was asked for.
async fn execute(Arguments { command }: Arguments) -> Result<()> {
    prepare()?;
    match command {
        Command::Rows(wanted) => wanted.measure().await,
        Command::Part { part } => part.run().await,
    }
}
