//! `checker`: takes check tasks from Kafka, probes the sites, stores what it measured.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::program::main("checker", checker::cli::execute)
}
