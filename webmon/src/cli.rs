//! The command line of `webmon`.

use std::path::{Path, PathBuf};

use checker::command::Probe;
use clap::{Parser, Subcommand};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::{
    config::Configuration as _,
    program::{say, usage},
    telemetry::{healthcheck, start_logs},
};
use sea_orm::DatabaseConnection;
use sites::command::{self, Apply};
use store::access::Access;
use stream::config::KafkaConfig;

use crate::{
    commands::{
        audit::{Audit, audit},
        backup::{Backup, Restore, backup, restore},
        identity::{IdentityCommand, identity, warn_of_copy},
        repair::{RepairCommand, repair},
        status::status,
        upgrade::upgrade,
    },
    config::Config,
    database::Database,
    up::{Up, up},
};

/// Watches websites: scheduler, broker, checker and database in one process.
///
/// `webmon up --sites sites.yaml` needs nothing but an installed PostgreSQL. With `database.url` and
/// `kafka.brokers` in a configuration the same program is part of a cluster. Exit codes: 0, 1 for a
/// failure, 2 for bad usage, configuration or sites file.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// The configuration, the keys of scheduler and checker; none is needed
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and locks of webmon's own are kept
    #[arg(long, global = true, value_name = "DIR", default_value = "webmon-data")]
    data: PathBuf,
    /// What to do
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the sites until SIGINT, SIGTERM or SIGHUP, which a closed terminal sends (unless started by
    /// nohup); a second SIGINT or SIGTERM stops at once
    Up(Up),
    /// Bring the sites in line with a sites file, all or nothing
    Apply(Apply),
    /// Write all sites as a sites file to standard output
    Export,
    /// Make one check now and show it, phase by phase; exit code 0 if the site is up, else 1
    Probe(Probe),
    /// Show the sites and their verdicts as a table
    Status,
    /// Show what became of every scheduled check, hour by hour; exit code 1 if that does not add up
    Audit(Audit),
    /// Show whose database this is, or settle that of a copy: `keep` for the original that was moved, `new` for a copy
    Identity(IdentityCommand),
    /// Write the database of webmon's own PostgreSQL into a file, also while `webmon up` runs
    Backup(Backup),
    /// Fill the empty database of a data folder from a file that `backup` wrote
    Restore(Restore),
    /// Move the data folder to the newest PostgreSQL that is installed beside the one that made it
    Upgrade,
    /// Put back what the database lacks and what can be computed; no row of yours is changed
    Repair(RepairCommand),
    /// Say whether the configuration is in order, and do nothing
    CheckConfig,
    /// Ask the running webmon whether it is ready (for containers)
    Healthcheck,
}

/// Does what was asked for.
pub async fn execute(
    Arguments {
        config: file,
        data,
        command,
    }: Arguments,
) -> Result<()> {
    let config = Config::load_or_default(file.as_deref()).map_err(usage)?;
    start_logs(&config.log)?;
    if matches!(command, Command::Up(_) | Command::CheckConfig) {
        config.warn();
        checker::config::warn_of_proxies();
    }
    match command {
        Command::Up(command) => up(config, &data, &command).await,
        Command::Backup(command) => backup(&config, &data, &command).await,
        Command::Restore(command) => restore(&config, &data, &command).await,
        Command::Upgrade => upgrade(&config, &data).await,
        Command::CheckConfig => check_config(file.as_deref(), &config),
        Command::Healthcheck => Ok(healthcheck(config.http.listen).await?),
        Command::Probe(probe) if probe.site.is_none() => {
            checker::command::probe(&config.checker.probe, &probe, None).await
        }
        command => with_database(command, &config, &data).await,
    }
}

/// Says that a configuration is in order, and what is odd about its secrets.
fn check_config(file: Option<&Path>, config: &Config) -> Result<()> {
    let file = file.map_or("defaults".to_owned(), |file| file.display().to_string());
    checker::command::review(&file, &config.checker.probe.secrets)?;
    config.kafka.iter().for_each(KafkaConfig::tell);
    say("the configuration is in order").wrap_err("write")
}

/// Does what a command asks of a database, with the rights that it needs.
async fn with_database(command: Command, config: &Config, data: &Path) -> Result<()> {
    let access = match &command {
        Command::Apply(apply) => apply.access(),
        Command::Identity(command) => command.access(),
        Command::Repair(_) => Access::Write,
        _ => Access::Read,
    };
    let database = Database::join(config, data).await?;
    let done = match database.ready(access).await {
        Ok(connection) => obey(command, config, connection).await,
        Err(error) => Err(error),
    };
    done.and(database.close().await)
}

/// The same, once the database is there.
async fn obey(command: Command, config: &Config, database: DatabaseConnection) -> Result<()> {
    match command {
        Command::Apply(apply) => command::apply(&database, &apply).await,
        Command::Probe(probe) => {
            checker::command::probe(&config.checker.probe, &probe, Some(&database)).await
        }
        Command::Status => {
            warn_of_copy(&database).await;
            status(&database).await
        }
        Command::Identity(command) => identity(&database, &command).await,
        Command::Repair(command) => repair(&database, config.scheduler.retention, command).await,
        Command::Audit(command) => audit(&database, &command, config.scheduler.retention).await,
        _ => command::export(&database).await,
    }
}
