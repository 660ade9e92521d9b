//! Writable: whether the database takes changes. A standby answers, and is of no use to a service.

use std::time::Duration;

use runtime::retry::{Backoff, Outage};
use sea_orm::DatabaseConnection;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::error::DatabaseError;
use crate::sql::scalar;

/// Why the database takes no changes of this session; no row if it does.
const READ_ONLY: &str = "\
SELECT pg_is_in_recovery()
WHERE pg_is_in_recovery() OR current_setting('transaction_read_only')::bool";

/// Fails if the database takes no changes: a standby, or one that was made read-only.
pub async fn check_writable(database: &DatabaseConnection) -> Result<(), DatabaseError> {
    let why = match scalar(database, "ask whether the database is read-only", READ_ONLY).await? {
        None => return Ok(()),
        Some(true) => "it is a standby; name the primary in database.url",
        Some(false) => {
            "it is read-only; turn default_transaction_read_only off, or name the primary in database.url"
        }
    };
    Err(DatabaseError::ReadOnly { why })
}

/// Waits until the database takes changes, for as long as `patience` lasts: a standby may be about to be the primary.
pub async fn wait_until_writable(
    database: &DatabaseConnection,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<(), DatabaseError> {
    let deadline = Instant::now() + patience;
    let mut outage = Outage::new("PostgreSQL, asked to take changes,");
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        match check_writable(database).await {
            Err(error @ DatabaseError::ReadOnly { .. }) if Instant::now() < deadline => {
                outage.failed(&error.to_string());
            }
            checked => return checked,
        }
        let wait = backoff
            .next_wait()
            .min(deadline.saturating_duration_since(Instant::now()));
        if stop.run_until_cancelled(sleep(wait)).await.is_none() {
            let server = "database.url".to_owned();
            return Err(DatabaseError::Stopped { server });
        }
    }
}
