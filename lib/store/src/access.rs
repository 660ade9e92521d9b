//! How a command reaches the database.

use color_eyre::eyre::Result;
use sea_orm::DatabaseConnection;

use crate::config::DatabaseConfig;
use crate::connect::{Pool, READ_ONLY};
use crate::schema::check_schema;

/// What a command does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads: a role that may only read is enough, and so is a standby.
    Read,
    /// It writes.
    Write,
}

impl Access {
    /// The settings of its sessions.
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Read => READ_ONLY,
            Self::Write => &[],
        }
    }
}

/// Connects to a database that has this build's schema.
pub async fn connect(config: &DatabaseConfig, access: Access) -> Result<DatabaseConnection> {
    let pool = Pool {
        name: "webmon-command",
        connections: 1,
        settings: access.settings(),
    };
    let database = crate::connect::connect(config, pool).await?;
    check_schema(&database).await?;
    Ok(database)
}
