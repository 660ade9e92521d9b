//! Up to where each shard is scheduled: read, claimed by a turn, and moved on.

use std::time::Duration;

use contract::instant::{UnixMs, millis};
use sea_orm::{DbErr, FromQueryResult, QueryResult, Statement};

use crate::sql::{POSTGRES, instant, statement};

/// Up to where the shards are scheduled.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The start of the transaction.
    pub now: UnixMs,
    /// Up to where the shard furthest behind is scheduled.
    pub least: UnixMs,
    /// Up to where the shard furthest ahead is scheduled, or reconciled.
    pub most: UnixMs,
}

impl FromQueryResult for Progress {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            now: instant(row, prefix, "now")?,
            least: instant(row, prefix, "least")?,
            most: instant(row, prefix, "most")?,
        })
    }
}

/// Milliseconds are cut once, here; from now on both edges of a window are used as they are. `greatest` and `least`
/// stand for instants that `PostgreSQL` alone knows: `infinity`, and none in an empty table.
const PROGRESS: &str = "\
SELECT (extract(epoch FROM date_trunc('milliseconds', now())) * 1000)::bigint AS now,
    (extract(epoch FROM greatest(timestamptz 'epoch', min(scheduled_until))) * 1000)::bigint AS least,
    (extract(epoch FROM least(timestamptz '9999-01-01', max(greatest(scheduled_until, reconciled_until)))) * 1000)::bigint AS most
FROM schedule_shard";

/// Reads the [`Progress`] of all shards.
pub fn progress() -> Statement {
    Statement::from_string(POSTGRES, PROGRESS)
}

/// A locked row of `schedule_shard`.
#[derive(Clone, Copy, Debug)]
pub struct Shard {
    /// `schedule_shard.id`.
    pub id: i16,
    /// Everything up to here has been scheduled.
    pub scheduled_until: UnixMs,
}

impl FromQueryResult for Shard {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            scheduled_until: instant(row, prefix, "scheduled_until")?,
        })
    }
}

/// Claims what lies furthest behind. An instant that `PostgreSQL` alone knows (`-infinity`) is the first there is.
const CLAIM: &str = "\
SELECT id, (extract(epoch FROM greatest(scheduled_until, timestamptz 'epoch')) * 1000)::bigint AS scheduled_until
FROM schedule_shard
WHERE scheduled_until < now() + $1 * interval '1 millisecond' AND id = ANY($2)
ORDER BY scheduled_until
LIMIT $3
FOR UPDATE SKIP LOCKED";

/// Locks the shards of `candidates`, at most `most`, that are scheduled less than `lead` ahead of now; returns them as
/// [`Shard`]s.
pub fn claim(candidates: Vec<i16>, most: usize, lead: Duration) -> Statement {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    statement(CLAIM, [millis(lead).into(), candidates.into(), most.into()])
}

/// An instant is exact as a product; `to_timestamp` takes a floating-point number of seconds.
const ADVANCE: &str = "\
UPDATE schedule_shard SET scheduled_until = timestamptz 'epoch' + $1 * interval '1 millisecond'
WHERE id = ANY($2)";

/// Notes that shards are scheduled up to `until`.
pub fn advance(shards: Vec<i16>, until: UnixMs) -> Statement {
    statement(ADVANCE, [until.0.into(), shards.into()])
}
