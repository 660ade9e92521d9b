//! `schedule_gap`: spans in which a shard's sites were not scheduled.

use std::time::Duration;

use contract::instant::{UnixMs, millis};
use sea_orm::Statement;
use sea_orm::entity::prelude::*;

use crate::sql::statement;

/// A row of `schedule_gap`: the span `(since, until]`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_gap")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The shard, 0 to 63.
    pub shard: i16,
    /// The last instant that was scheduled.
    pub since: DateTimeUtc,
    /// The last instant that was not.
    pub until: DateTimeUtc,
    /// When the gap was found.
    pub recorded_at: DateTimeUtc,
}

/// Gaps have no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A time `(since, until]` in which a shard's sites were not scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// `schedule_gap.shard`.
    pub shard: i16,
    /// `schedule_gap.since`.
    pub since: UnixMs,
    /// `schedule_gap.until`.
    pub until: UnixMs,
}

impl Gap {
    /// How long it is, in milliseconds.
    pub const fn length_ms(&self) -> i64 {
        self.until.ms_since(self.since)
    }
}

/// One row for each gap.
const RECORD: &str = "\
INSERT INTO schedule_gap (shard, since, until)
SELECT shard, timestamptz 'epoch' + since * interval '1 millisecond', timestamptz 'epoch' + until * interval '1 millisecond'
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS gap (shard, since, until)";

/// Records gaps.
pub fn record(gaps: &[Gap]) -> Statement {
    let shards: Vec<_> = gaps.iter().map(|gap| gap.shard).collect();
    let since: Vec<_> = gaps.iter().map(|gap| gap.since.0).collect();
    let until: Vec<_> = gaps.iter().map(|gap| gap.until.0).collect();
    statement(RECORD, [shards.into(), since.into(), until.into()])
}

/// Gaps that ended longer ago than the retention.
const DELETE_AGED: &str =
    "DELETE FROM schedule_gap WHERE until < now() - $1 * interval '1 millisecond'";

/// Deletes the gaps that ended longer ago than `retention`.
pub fn delete_aged(retention: Duration) -> Statement {
    statement(DELETE_AGED, [millis(retention).into()])
}
