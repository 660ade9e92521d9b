//! The command line of `migration`.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use sea_orm_migration::sea_orm::DatabaseConnection;
use tracing_subscriber::EnvFilter;

use crate::connect::{self, OPTION, Target, Unusable, VARIABLE};
use crate::{Foreign, Loss, MigrationError, State};

/// Brings a PostgreSQL database to the schema of this build of webmon, or back.
///
/// Exit codes: 0, 1 for a failure, 2 for bad usage.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The database: postgres://user:password@host:port/name. Other users of the machine see a command
    /// line: give a password by `DATABASE_URL`, PGPASSWORD or the file that PGPASSFILE names
    #[arg(
        short = 'u',
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// What to do
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
enum Command {
    /// Apply the migrations that are pending
    Up {
        /// How many; all by default
        #[arg(short, long)]
        num: Option<u32>,
        /// Also where there are tables that are not webmon's: put webmon's beside them
        #[arg(long)]
        yes: bool,
    },
    /// Take back the last migration, and lose what it holds
    Down {
        /// How many
        #[arg(short, long, default_value = "1")]
        num: u32,
        /// What is lost
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Show which migrations are applied; changes nothing
    Status,
    /// Make the roles `webmon_scheduler`, `webmon_checker`, `webmon_reader` with exactly their rights
    ///
    /// Run it as the tables' owner after each `up`. Logins are members: `CREATE ROLE me LOGIN PASSWORD '…' IN
    /// ROLE webmon_checker`. Tables that belong to a superuser are given to the role `webmon_owner`.
    Grant,
    /// Drop all that is webmon's, then apply all migrations: the data is gone
    Fresh(Confirm),
    /// Take back all migrations, then apply all: the data is gone
    Refresh(Confirm),
    /// Take back all migrations: the data is gone
    Reset(Confirm),
}

/// The consent to a loss.
#[derive(Args)]
struct Confirm {
    /// The name of the database whose data may be lost
    #[arg(long, value_name = "DATABASE")]
    yes: Option<String>,
}

/// Does what the command line asks for.
pub async fn run() -> ExitCode {
    let (arguments, key) = match arguments() {
        Ok(read) => read,
        Err(code) => return code,
    };
    let Arguments {
        database_url,
        command,
    } = arguments;
    let filter = EnvFilter::new("warn,migration=info,sea_orm_migration=info");
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    let Some(url) = database_url else {
        return fail(
            "no database is named: set DATABASE_URL or give --database-url postgres://…",
            2,
        );
    };
    let target = match Target::reach(&url, key).await {
        Ok(target) => target,
        Err(Unusable::Address(message)) => return fail(&message, 2),
        Err(Unusable::Unreachable(message)) => return fail(&message, 1),
    };
    match execute(&target, command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if error.is_usage() { 2 } else { 1 };
            fail(&error.explained(|cause| target.explain(cause)), code)
        }
    }
}

/// What was asked for, and what names the database; a command line that cannot be read ends the program.
fn arguments() -> Result<(Arguments, &'static str), ExitCode> {
    let read = Arguments::command().try_get_matches().and_then(|matches| {
        let named = matches.value_source("database_url") == Some(ValueSource::CommandLine);
        let key = if named { OPTION } else { VARIABLE };
        Ok((Arguments::from_arg_matches(&matches)?, key))
    });
    read.map_err(|error| {
        if connect::shows_an_address(&error, std::env::args_os()) {
            let message = "the command line cannot be read, and may hold an address: give the database by \
                           DATABASE_URL or after --database-url, and see --help for the commands";
            return fail(message, 2);
        }
        drop(error.print());
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Does what was asked for.
async fn execute(target: &Target, command: Command) -> Result<(), MigrationError> {
    let database = &target.database;
    match command {
        Command::Up { num, yes } => {
            let foreign = if yes {
                Foreign::Accept
            } else {
                Foreign::Refuse
            };
            crate::up(database, num, foreign).await
        }
        Command::Status => status(database).await,
        Command::Grant => crate::grant(database).await,
        Command::Down { num, confirm } => lose(database, Loss::Down(num), &confirm).await,
        Command::Fresh(confirm) => lose(database, Loss::Fresh, &confirm).await,
        Command::Refresh(confirm) => lose(database, Loss::Refresh, &confirm).await,
        Command::Reset(confirm) => lose(database, Loss::Reset, &confirm).await,
    }
}

/// Does what loses data.
async fn lose(
    database: &DatabaseConnection,
    loss: Loss,
    Confirm { yes }: &Confirm,
) -> Result<(), MigrationError> {
    crate::lose(database, loss, yes.as_deref()).await
}

/// Shows the steps, the unknown ones by the error.
async fn status(database: &DatabaseConnection) -> Result<(), MigrationError> {
    let state = State::read(database).await?;
    let mut out = std::io::stdout();
    for step in state.steps() {
        let status = if step.is_applied {
            "Applied"
        } else {
            "Pending"
        };
        // There is no other place to say it if standard output is gone.
        drop(writeln!(out, "Migration '{}'... {status}", step.name));
    }
    State::known(database).await.map(drop)
}

/// Says what went wrong.
fn fail(message: &str, code: u8) -> ExitCode {
    // There is no other place to say it if standard error is gone.
    drop(writeln!(std::io::stderr(), "migration: {message}"));
    ExitCode::from(code)
}
