//! The command line of `checker`.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    config::Configuration as _,
    program::{configure, say},
    reload::Source,
    service::host,
    telemetry::healthcheck,
};

use crate::{
    command::{self, Probe},
    config::{self, Config},
    descriptors,
    memory::Bound,
};

/// Takes check tasks from Kafka, probes the sites over HTTP and stores what it measured in PostgreSQL.
///
/// Any number of checkers may run: Kafka shares the tasks among them, and any of them may stop or die
/// at any time. Exit codes: 0, 1 for a failure, 2 for bad usage or configuration.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
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
#[derive(Debug, Subcommand)]
pub enum Command {
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

/// Does what was asked for.
pub async fn execute(
    Arguments {
        config: file,
        command,
    }: Arguments,
) -> Result<()> {
    match &command {
        Command::Run => {
            let (config, logs) = configure::<Config>(&file)?;
            config.warn();
            config::warn_of_proxies();
            let source = Source { file, logs };
            host(&config.http.clone(), source, |service| {
                crate::run(config, service)
            })
            .await
        }
        Command::CheckConfig => check_config(&file),
        Command::Healthcheck => Ok(healthcheck(configure::<Config>(&file)?.0.http.listen).await?),
        Command::Probe(probe) => command::by_file(&file, probe).await,
    }
}

/// Says whether a configuration is in order, and what a checker would need with it.
fn check_config(file: &Path) -> Result<()> {
    let (config, _logs) = configure::<Config>(file)?;
    config.warn();
    config::warn_of_proxies();
    let file = file.display().to_string();
    command::review(&file, &config.settings.probe.secrets)?;
    config.kafka.tell();
    let bound = Bound::of(&config);
    say(format_args!("{file} is in order\n{bound}")).wrap_err("write")?;
    let faults = [bound.fault(), descriptors::fault(config.settings.slots)];
    for fault in faults.into_iter().flatten() {
        tracing::warn!("{fault}");
    }
    Ok(())
}
