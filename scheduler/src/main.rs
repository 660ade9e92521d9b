//! `scheduler`: reads sites from PostgreSQL and puts check tasks on Kafka when they are due.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::program::main("scheduler", scheduler::cli::execute)
}
