//! The command line of `scheduler`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    config::Configuration as _,
    program::{configure, say},
    reload::Source,
    service::host,
    telemetry::healthcheck,
};
use sites::command::{self, Apply};
use store::access::{Access, connect};

use crate::config::Config;

/// Reads sites from PostgreSQL and puts check tasks on Kafka when they are due.
///
/// Any number of schedulers may run on one database: they share the sites, and any of them may stop
/// or die at any time. Exit codes: 0, 1 for a failure, 2 for bad usage, configuration or sites file.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// The configuration; start from scheduler/config-example.yaml
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "scheduler/config.yaml"
    )]
    config: PathBuf,
    /// What to do
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Schedule until SIGINT or SIGTERM; a second one stops at once. SIGHUP reads the configuration again:
    /// log.filter changes, the rest is named and needs a restart
    Run,
    /// Say whether the configuration is in order, and do nothing
    CheckConfig,
    /// Ask the running scheduler whether it is ready (for containers)
    Healthcheck,
    /// Bring the sites in line with a sites file, all or nothing
    Apply(Apply),
    /// Write all sites as a sites file to standard output
    Export,
}

/// Does what was asked for.
pub async fn execute(
    Arguments {
        config: file,
        command,
    }: Arguments,
) -> Result<()> {
    let (config, logs) = configure::<Config>(&file)?;
    if matches!(command, Command::Run | Command::CheckConfig) {
        config.warn();
    }
    match command {
        Command::Run => {
            let source = Source { file, logs };
            host(&config.http.clone(), source, |service| {
                crate::run(config, service)
            })
            .await
        }
        Command::CheckConfig => {
            config.kafka.tell();
            say(format_args!("{} is in order", file.display())).wrap_err("write")
        }
        Command::Healthcheck => Ok(healthcheck(config.http.listen).await?),
        Command::Apply(apply) => {
            let database = connect(&config.database, apply.access()).await?;
            command::apply(&database, &apply).await
        }
        Command::Export => {
            let database = connect(&config.database, Access::Read).await?;
            command::export(&database).await
        }
    }
}
