//! `migration`: brings a database to the schema of this build, or back.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    migration::cli::run().await
}
