//! Repeats: a task that comes late may have been checked already, by a checker that died before it could commit, or
//! that lost the partition. Such tasks are looked up, so that a site is seldom probed twice for one instant.

use std::{collections::BTreeSet, time::Duration};

use contract::{
    check::{CheckKey, SiteId},
    instant::UnixMs,
    task::Task,
};
use sea_orm::{ConnectionTrait, DbErr, TryGetError};
use store::{Link, sql};
use tokio::{runtime::Handle, time::timeout};
use tracing::debug;

/// A task read later than this after its due instant may be a repeat, in milliseconds.
pub const SUSPICIOUS_MS: i64 = 1_000;
/// The time for a look-up; after that the tasks count as not recorded, which costs a probe at most.
const LIMIT: Duration = Duration::from_secs(1);

/// The instants of these that have a row of a check; one that was thought missed may still be made.
const FIND: &str = "\
SELECT found.site_id, (extract(epoch FROM found.scheduled_at) * 1000)::bigint
FROM unnest($1::bigint[], $2::bigint[]) AS task (site_id, scheduled_ms)
JOIN check_result AS found ON found.site_id = task.site_id
    AND found.scheduled_at = timestamptz 'epoch' + task.scheduled_ms * interval '1 millisecond'
    AND found.outcome <> 'missed'";

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
        let statement = sql::statement(FIND, [ids.into(), instants.into()]);
        let found = database
            .query_all_raw(statement)
            .await
            .map_err(|error| error.to_string())?;
        let key = |row: &sea_orm::QueryResult| {
            let site = SiteId(row.try_get_by_index(0)?);
            Ok(CheckKey::new(site, UnixMs(row.try_get_by_index(1)?)))
        };
        let keys: Result<_, TryGetError> = found.iter().map(key).collect();
        keys.map_err(|error| DbErr::from(error).to_string())
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
