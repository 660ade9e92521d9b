//! A look at the database: whether it can do what webmon asks of it now, and whether it is still the same.

use color_eyre::eyre;
use runtime::conditions::{DATABASE, SCHEMA};
use runtime::readiness::{Dependency, LOOK_LIMIT};
use runtime::telemetry::{Condition, Readiness};
use tokio::time::timeout;

use crate::config::DatabaseConfig;
use crate::connect::Pool;
use crate::error::DatabaseError;
use crate::installation::{Identity, IdentityError};
use crate::link::Link;
use crate::schema::check_schema;
use crate::writable::check_writable;

/// The connection that is only looked at.
const POOL: Pool = Pool {
    name: "webmon-readiness",
    connections: 1,
    settings: &[],
};

/// The database, as readiness sees it.
#[derive(Debug)]
pub struct WatchedDatabase {
    /// The database answers and takes changes.
    database: Condition,
    /// It is at the schema of this build.
    schema: Condition,
    /// The connection.
    link: Link,
    /// Whose database it was at the start.
    identity: Identity,
}

impl WatchedDatabase {
    /// A database that has not been looked at yet.
    pub(crate) fn new(readiness: &Readiness, config: &DatabaseConfig, identity: Identity) -> Self {
        Self {
            database: readiness.condition(DATABASE),
            schema: readiness.condition(SCHEMA),
            link: Link::new(config.clone(), POOL),
            identity,
        }
    }

    /// Asks the database for its schema, and whether it takes changes.
    async fn ask(&mut self) -> Result<(), DatabaseError> {
        // Connecting has a limit of its own.
        let open = self.link.get().await?;
        let asked = timeout(LOOK_LIMIT, async {
            check_schema(open).await?;
            check_writable(open).await
        });
        asked.await.unwrap_or(Err(DatabaseError::TimedOut {
            operation: "look at the database",
            limit: LOOK_LIMIT,
        }))
    }

    /// Says what a look has found.
    fn tell(&mut self, asked: Result<(), DatabaseError>) {
        let Self {
            database, schema, ..
        } = self;
        match asked {
            Ok(()) => {
                database.set(true);
                schema.set(true);
            }
            Err(
                error @ (DatabaseError::SchemaBehind { .. } | DatabaseError::SchemaAhead { .. }),
            ) => {
                database.set(true);
                schema.lacks(error.to_string());
            }
            Err(error @ DatabaseError::ReadOnly { .. }) => {
                database.lacks(error.to_string());
                schema.set(true);
            }
            Err(error) => {
                database.lacks(error.to_string());
                self.link.cut();
            }
        }
    }

    /// Refuses another identity; a database that does not tell is no reason to end.
    async fn refuse_change(&mut self) -> Result<(), IdentityError> {
        if !self.database.holds() {
            return Ok(());
        }
        let Ok(open) = self.link.get().await else {
            return Ok(());
        };
        match timeout(LOOK_LIMIT, self.identity.refuse_change(open)).await {
            Ok(Err(changed @ IdentityError::Changed { .. })) => Err(changed),
            _ => Ok(()),
        }
    }
}

impl Dependency for WatchedDatabase {
    /// Fails when the database has another identity: messages of this process would be taken for another
    /// installation's.
    async fn look(&mut self) -> eyre::Result<()> {
        let asked = self.ask().await;
        self.tell(asked);
        Ok(self.refuse_change().await?)
    }
}
