//! What a service does with the database at its start: it waits for one that it can work with.

use color_eyre::eyre::{self, Report};
use runtime::conditions::{DATABASE, SCHEMA};
use runtime::service::{PATIENCE, Service, Stopped};
use sea_orm::DatabaseConnection;

use crate::config::DatabaseConfig;
use crate::connect::{Pool, connect_patiently};
use crate::error::DatabaseError;
use crate::installation::Identity;
use crate::look::WatchedDatabase;
use crate::schema::check_schema;
use crate::writable::wait_until_writable;

/// The database, once a service has reached it.
#[derive(Debug)]
pub struct Reached {
    /// A pool on it.
    pub database: DatabaseConnection,
    /// Whose database it is.
    pub identity: Identity,
    /// What readiness looks at from now on.
    pub watched: WatchedDatabase,
}

/// Waits for `PostgreSQL` at this build's schema, of which it reads whose it is, and which takes changes. A database
/// that is a copy is refused.
pub async fn reach(
    service: &Service,
    config: &DatabaseConfig,
    pool: Pool,
) -> eyre::Result<Reached> {
    let readiness = service.endpoints.readiness();
    let [reached, schema] = [DATABASE, SCHEMA].map(|name| readiness.condition(name));
    let connected = connect_patiently(config, pool, PATIENCE, &service.stop).await;
    let database = connected.map_err(report)?;
    check_schema(&database).await?;
    schema.set(true);
    let identity = Identity::read(&database).await?.refuse_copy()?;
    let writable = wait_until_writable(&database, PATIENCE, &service.stop).await;
    writable.map_err(report)?;
    reached.set(true);
    Ok(Reached {
        watched: WatchedDatabase::new(readiness, config, identity.clone()),
        database,
        identity,
    })
}

/// The error as the host of a service knows it.
fn report(error: DatabaseError) -> Report {
    match error {
        DatabaseError::Stopped { .. } => Report::new(Stopped(error.to_string())),
        error => error.into(),
    }
}
