//! `migration`: brings a database to the schema of this build, or back.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use migration::{Migrator, MigratorTrait as _};
use sea_orm_migration::sea_orm::{ConnectOptions, Database, DbErr};
use tracing_subscriber::EnvFilter;

/// Brings a PostgreSQL database to the schema of this build of webmon, or back.
///
/// Exit codes: 0, 1 for a failure, 2 for bad usage.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The database: postgres://user:password@host:port/name
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
    let Arguments {
        database_url,
        command,
    } = Arguments::parse();
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
    match execute(url, command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(
            &format!("{error}; check the database's address, and that the role owns it"),
            1,
        ),
    }
}

/// Does what was asked for.
async fn execute(url: String, command: Command) -> Result<(), DbErr> {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false);
    let database = Database::connect(options).await?;
    match command {
        Command::Up { num } => Migrator::up(&database, num).await,
        Command::Down { num } => Migrator::down(&database, Some(num)).await,
        Command::Status => Migrator::status(&database).await,
        Command::Fresh => Migrator::fresh(&database).await,
        Command::Refresh => Migrator::refresh(&database).await,
        Command::Reset => Migrator::reset(&database).await,
    }
}

/// Says what went wrong.
fn fail(message: &str, code: u8) -> ExitCode {
    // Nobody is left to tell if standard error is gone.
    drop(writeln!(std::io::stderr(), "migration: {message}"));
    ExitCode::from(code)
}
