//! The database's time, which the clock of every service follows.

use contract::instant::UnixUs;
use runtime::clock::TimeSource;
use sea_orm::DatabaseConnection;

use crate::error::DatabaseError;
use crate::link::Link;
use crate::sql::scalar;

/// The time, in microseconds since the Unix epoch.
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The time of a database, asked for on a pool that is open.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseTime<'a>(pub &'a DatabaseConnection);

impl TimeSource for DatabaseTime<'_> {
    type Error = DatabaseError;

    async fn now_us(&mut self) -> Result<UnixUs, DatabaseError> {
        let answer = scalar(self.0, "read the database's clock", NOW).await?;
        Ok(UnixUs(answer.unwrap_or_default()))
    }
}

/// The same on connections that are made anew after a failure.
impl TimeSource for Link {
    type Error = DatabaseError;

    async fn now_us(&mut self) -> Result<UnixUs, DatabaseError> {
        let asked = DatabaseTime(self.get().await?).now_us().await;
        if asked.is_err() {
            self.cut();
        }
        asked
    }
}
