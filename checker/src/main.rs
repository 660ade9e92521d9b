//! `checker`: takes check tasks from Kafka, probes the sites, stores what it measured.

use std::{path::PathBuf, process::ExitCode};

use checker::{
    command::{self, Probe},
    config::Config,
    descriptors,
    memory::Bound,
};
use clap::{Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    program::{arguments, prepare, run, say, usage},
    reload::Source,
    service::host,
    telemetry::{Logs, healthcheck, start_logs},
};

/// Takes check tasks from Kafka, probes the sites over HTTP and stores what it measured in PostgreSQL.
///
/// Any number of checkers may run: Kafka shares the tasks among them, and any of them may stop or die
/// at any time. Exit codes: 0, 1 for a failure, 2 for bad usage or configuration.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration; start from checker/config-example.yaml
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "checker/config.yaml"
    )]
    config: PathBuf,
    /// What to do
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
enum Command {
    /// Check until SIGINT or SIGTERM; a second one stops at once. SIGHUP reads the configuration again:
    /// addresses, secrets, slots and log.filter change, the rest is named and needs a restart
    Run,
    /// Say whether the configuration is in order, and do nothing
    CheckConfig,
    /// Ask the running checker whether it is ready (for containers)
    Healthcheck,
    /// Make one check now and show it, phase by phase; exit code 0 if the site is up, else 1
    Probe(Probe),
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) => run("checker", execute(arguments)),
        Err(code) => code,
    }
}

/// Does what was asked for.
async fn execute(
    Arguments {
        config: file,
        command,
    }: Arguments,
) -> Result<()> {
    prepare()?;
    let load = || -> Result<(Config, Logs)> {
        let config = Config::load(&file).map_err(usage)?;
        let logs = start_logs(&config.log)?;
        if let (Command::Run | Command::CheckConfig, Some(warning)) =
            (&command, config.database.open_way())
        {
            tracing::warn!("{warning}");
        }
        Ok((config, logs))
    };
    match &command {
        Command::Run => {
            let (config, logs) = load()?;
            let source = Source { file, logs };
            host(&config.http.clone(), source, |service| {
                checker::run(config, service)
            })
            .await
        }
        Command::CheckConfig => {
            let (file, config) = (file.display().to_string(), load()?.0);
            command::review(&file, &config.probe.secrets)?;
            config.kafka.tell();
            let bound = Bound::of(&config);
            say(format_args!("{file} is in order\n{bound}")).wrap_err("write")?;
            let faults = [bound.fault(), descriptors::fault(config.slots)];
            for fault in faults.into_iter().flatten() {
                tracing::warn!("{fault}");
            }
            Ok(())
        }
        Command::Healthcheck => Ok(healthcheck(load()?.0.http.listen).await?),
        Command::Probe(probe) => command::by_file(&file, probe).await,
    }
}
