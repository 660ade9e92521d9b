//! `webmon`: everything in one process, and the commands people use.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::program::main("webmon", webmon::cli::execute)
}
