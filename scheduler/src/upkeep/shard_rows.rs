//! Shard rows: whether each shard has its row. The sites of one without are not scheduled, and no turn can see that.

use std::convert::Infallible;
use std::time::Duration;

use runtime::telemetry::Condition;
use store::{Link, schedule_shard::Missing};
use tokio::time::sleep;
use tracing::{info, warn};

/// How often to look.
const EVERY: Duration = Duration::from_secs(5);

/// What is said, and shown by readiness, of the rows of `schedule_shard`.
#[derive(Debug)]
pub(crate) struct ShardRows {
    /// Whether every shard has its row.
    complete: Condition,
    /// Those without, as last said.
    missing: Missing,
}

impl ShardRows {
    /// Nothing is missing as far as is known.
    pub(crate) fn new(complete: Condition) -> Self {
        complete.set(true);
        Self {
            complete,
            missing: Missing::default(),
        }
    }

    /// Looks, again and again.
    pub(crate) async fn watch(&mut self, database: &mut Link) -> Infallible {
        loop {
            sleep(EVERY).await;
            self.look(database).await;
        }
    }

    /// Looks once; each change is said once. That the database does not answer is logged elsewhere.
    async fn look(&mut self, database: &mut Link) {
        let found = match database.get().await {
            Ok(open) => Missing::find(open).await,
            Err(error) => Err(error),
        };
        let Ok(missing) = found else {
            database.cut();
            return;
        };
        if missing != self.missing {
            if missing.is_empty() {
                info!("every shard has its row again");
            } else {
                warn!("{missing}");
            }
        }
        self.complete
            .tell((!missing.is_empty()).then(|| missing.to_string()));
        self.missing = missing;
    }
}
