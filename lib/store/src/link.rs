//! A link: connections that are made anew after a failure.

use sea_orm::DatabaseConnection;

use crate::config::DatabaseConfig;
use crate::connect::{Pool, connect_again};
use crate::error::DatabaseError;

/// Connections that are made when they are needed, and made anew after a failure.
///
/// A connection that did not answer in time may never do so (a firewall has forgotten it); a pool would
/// lend it out again.
#[derive(Debug)]
pub struct Link {
    /// Where the database is.
    config: DatabaseConfig,
    /// What the connections are like.
    pool: Pool,
    /// The connections; none before the first use and after a failure.
    open: Option<DatabaseConnection>,
}

impl Link {
    /// A link that is not connected yet.
    pub const fn new(config: DatabaseConfig, pool: Pool) -> Self {
        Self {
            config,
            pool,
            open: None,
        }
    }

    /// A link that has its connections already.
    pub const fn over(open: DatabaseConnection, config: DatabaseConfig, pool: Pool) -> Self {
        Self {
            config,
            pool,
            open: Some(open),
        }
    }

    /// The connections, which are made if there are none.
    pub async fn get(&mut self) -> Result<&DatabaseConnection, DatabaseError> {
        Ok(match &mut self.open {
            Some(open) => open,
            // On the heap: connecting is rare, and its future is large.
            none => none.insert(Box::pin(connect_again(&self.config, self.pool)).await?),
        })
    }

    /// Drops the connections, without waiting for a database that may not answer.
    pub fn cut(&mut self) {
        drop(self.open.take());
    }
}
