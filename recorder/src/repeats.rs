//! Repeats: a task that comes late may have been checked already, by a checker that died before it could commit, or
//! that lost the partition. Such tasks are looked up, so that a site is seldom probed twice for one instant.

use std::{collections::BTreeSet, time::Duration};

use contract::{check::CheckKey, task::Task};
use sea_orm::{ConnectionTrait, DbErr};
use store::{Link, check_result};
use tokio::{runtime::Handle, time::timeout};
use tracing::debug;

/// A task read later than this after its due instant may be a repeat, in milliseconds.
pub const SUSPICIOUS_MS: i64 = 1_000;
/// The time for a look-up; after that the tasks count as not recorded, which costs a probe at most.
const LIMIT: Duration = Duration::from_secs(1);

/// Looks tasks up, on a connection of its own.
#[derive(Debug)]
pub struct Repeats {
    /// Where the results are.
    database: Link,
    /// Where the queries run, while the caller's thread waits.
    runtime: Handle,
}

impl Repeats {
    /// Look-ups that run on `runtime`.
    pub const fn new(database: Link, runtime: Handle) -> Self {
        Self { database, runtime }
    }

    /// Which of these tasks have a row already.
    pub fn recorded<'a>(&mut self, tasks: impl Iterator<Item = &'a Task>) -> BTreeSet<CheckKey> {
        let (ids, instants): (Vec<i64>, Vec<i64>) = tasks
            .map(|task| (task.site_id.0, task.scheduled_at.0))
            .unzip();
        if ids.is_empty() {
            return BTreeSet::new();
        }
        let runtime = self.runtime.clone();
        let found = runtime.block_on(async { timeout(LIMIT, self.find(ids, instants)).await });
        match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => self.forget(&error),
            Err(_) => self.forget(&format!("no answer within {LIMIT:?}")),
        }
    }

    /// Runs the query.
    async fn find(
        &mut self,
        ids: Vec<i64>,
        instants: Vec<i64>,
    ) -> Result<BTreeSet<CheckKey>, String> {
        let database = self.database.get().await;
        let database = database.map_err(|error| error.to_string())?;
        let found = database
            .query_all_raw(check_result::recorded(ids, instants))
            .await
            .map_err(|error| error.to_string())?;
        let keys: Result<_, DbErr> = found.iter().map(check_result::read_key).collect();
        keys.map_err(|error| error.to_string())
    }

    /// Drops a connection that did not answer.
    fn forget(&mut self, why: &str) -> BTreeSet<CheckKey> {
        debug!("cannot look up late tasks, they are checked: {why}");
        self.disconnect();
        BTreeSet::new()
    }

    /// Drops the connection, which speaks to its runtime once more.
    fn disconnect(&mut self) {
        let _inside = self.runtime.enter();
        self.database.cut();
    }
}

impl Drop for Repeats {
    fn drop(&mut self) {
        self.disconnect();
    }
}
