//! `schedule_gap`: times in which a shard's sites were not scheduled.

use std::time::Duration;

use contract::instant::{UnixMs, millis};
use sea_orm::Statement;
use store::sql::statement;

/// A time `(since, until]` in which a shard's sites were not scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// `schedule_gap.shard`.
    pub(crate) shard: i16,
    /// `schedule_gap.since`.
    pub(crate) since: UnixMs,
    /// `schedule_gap.until`.
    pub(crate) until: UnixMs,
}

impl Gap {
    /// How long it is, in milliseconds.
    pub(crate) const fn length_ms(&self) -> i64 {
        self.until.ms_since(self.since)
    }
}

/// One row for each gap.
const RECORD: &str = "\
INSERT INTO schedule_gap (shard, since, until)
SELECT shard, timestamptz 'epoch' + since * interval '1 millisecond', timestamptz 'epoch' + until * interval '1 millisecond'
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS gap (shard, since, until)";

/// Records gaps.
pub(crate) fn record(gaps: &[Gap]) -> Statement {
    let shards: Vec<_> = gaps.iter().map(|gap| gap.shard).collect();
    let since: Vec<_> = gaps.iter().map(|gap| gap.since.0).collect();
    let until: Vec<_> = gaps.iter().map(|gap| gap.until.0).collect();
    statement(RECORD, [shards.into(), since.into(), until.into()])
}

/// Gaps that ended longer ago than the retention.
const DELETE_AGED: &str =
    "DELETE FROM schedule_gap WHERE until < now() - $1 * interval '1 millisecond'";

/// Deletes the gaps that ended longer ago than `retention`.
pub(crate) fn delete_aged(retention: Duration) -> Statement {
    statement(DELETE_AGED, [millis(retention).into()])
}
