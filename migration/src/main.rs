//! `migration`: brings a database to the schema of this build, or back.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use migration::{Migrator, MigratorTrait as _};
use tracing_subscriber::EnvFilter;

mod connect;

use connect::{OPTION, Target, Unusable, VARIABLE};

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
    },
    /// Take back the last migration
    Down {
        /// How many
        #[arg(short, long, default_value = "1")]
        num: u32,
    },
    /// Show which migrations are applied
    Status,
    /// Drop all tables, then apply all migrations: the data is gone
    Fresh,
    /// Take back all migrations, then apply all: the data is gone
    Refresh,
    /// Take back all migrations: the data is gone
    Reset,
}

#[tokio::main]
async fn main() -> ExitCode {
    let (arguments, key) = match arguments() {
        Ok(read) => read,
        Err(code) => return code,
    };
    let Arguments {
        database_url,
        command,
    } = arguments;
    let filter = EnvFilter::new("warn,sea_orm_migration=info");
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
        Err(message) => fail(&message, 1),
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
async fn execute(target: &Target, command: Command) -> Result<(), String> {
    let database = &target.database;
    let done = match command {
        Command::Up { num } => Migrator::up(database, num).await,
        Command::Down { num } => Migrator::down(database, Some(num)).await,
        Command::Status => Migrator::status(database).await,
        Command::Fresh => Migrator::fresh(database).await,
        Command::Refresh => Migrator::refresh(database).await,
        Command::Reset => Migrator::reset(database).await,
    };
    done.map_err(|error| target.explain(&error))
}

/// Says what went wrong.
fn fail(message: &str, code: u8) -> ExitCode {
    // Nobody is left to tell if standard error is gone.
    drop(writeln!(std::io::stderr(), "migration: {message}"));
    ExitCode::from(code)
}
