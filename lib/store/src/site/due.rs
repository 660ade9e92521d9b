//! Which sites are due, and the rows of `site` that their tasks are made of.

use std::collections::BTreeMap;

use contract::check::SiteId;
use contract::instant::UnixMs;
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{QueryResult, Statement};

use crate::sql::statement;

/// Hops from one distinct interval of a shard to the next on the index `(shard, interval_ms, …)`.
pub const INTERVALS: &str = "\
WITH RECURSIVE found (shard, interval_ms) AS (
    SELECT shard, (SELECT min(site.interval_ms) FROM site WHERE enabled AND site.shard = claimed.shard)
    FROM unnest($1::smallint[]) AS claimed (shard)
    UNION ALL
    SELECT shard, (
        SELECT min(site.interval_ms) FROM site
        WHERE enabled AND site.shard = found.shard AND site.interval_ms > found.interval_ms)
    FROM found WHERE interval_ms IS NOT NULL
)
SELECT shard, interval_ms FROM found WHERE interval_ms IS NOT NULL";

/// Reads the intervals of the sites of these shards: rows of a shard and an interval in milliseconds.
pub fn intervals(shards: Vec<i16>) -> Statement {
    statement(INTERVALS, [shards.into()])
}

/// A range of phases in which the sites of one shard and interval are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseRange {
    /// `site.shard`.
    pub shard: i16,
    /// `site.interval_ms`.
    pub interval_ms: i32,
    /// The first phase.
    pub first: i32,
    /// The last phase.
    pub last: i32,
}

/// The due rows: regular ones by ranges of phases, extra ones (`check_at`) by ranges of instants.
///
/// `OFFSET 0` keeps each range a subquery of its own. The planner would otherwise begin with the sites,
/// as it expects few of them to be due, and read every `check_at` that ever was, once per turn.
pub const DUE: &str = "\
SELECT site.id, site.shard, site.interval_ms, site.phase_ms, site.timeout_ms, site.name, site.url,
    site.request::text AS request, site.expect::text AS expect, NULL::bigint AS check_at
FROM unnest($1::smallint[], $2::int[], $3::int[], $4::int[]) AS span (shard, interval_ms, first, last)
CROSS JOIN LATERAL (
    SELECT * FROM site
    WHERE enabled AND site.shard = span.shard AND site.interval_ms = span.interval_ms
        AND phase_ms BETWEEN span.first AND span.last
    OFFSET 0
) AS site
UNION ALL
SELECT site.id, site.shard, site.interval_ms, site.phase_ms, site.timeout_ms, site.name, site.url,
    site.request::text, site.expect::text, (extract(epoch FROM site.check_at) * 1000)::bigint
FROM unnest($5::smallint[], $6::bigint[]) AS claimed (shard, since)
CROSS JOIN LATERAL (
    SELECT * FROM site
    WHERE enabled AND site.shard = claimed.shard
        AND check_at > timestamptz 'epoch' + claimed.since * interval '1 millisecond'
        AND check_at <= timestamptz 'epoch' + $7 * interval '1 millisecond'
    OFFSET 0
) AS site";

/// Reads the sites that are due, as [`DueSite`]s: in `ranges` regularly, and those of the `shards` by their `check_at`
/// between the instant beside the shard and `until`.
pub fn due(ranges: &[PhaseRange], shards: &BTreeMap<i16, UnixMs>, until: UnixMs) -> Statement {
    fn column<T>(ranges: &[PhaseRange], of: fn(&PhaseRange) -> T) -> Vec<T> {
        ranges.iter().map(of).collect()
    }
    let values = [
        column(ranges, |range| range.shard).into(),
        column(ranges, |range| range.interval_ms).into(),
        column(ranges, |range| range.first).into(),
        column(ranges, |range| range.last).into(),
        shards.keys().copied().collect::<Vec<_>>().into(),
        shards
            .values()
            .map(|since| since.0)
            .collect::<Vec<_>>()
            .into(),
        until.0.into(),
    ];
    statement(DUE, values)
}

/// A row that is due, with what its tasks need; the texts are the row's own.
#[derive(Debug)]
pub struct DueSite<'r> {
    /// `site.id`.
    pub id: SiteId,
    /// `site.shard`.
    pub shard: i16,
    /// `site.interval_ms`.
    pub interval_ms: i64,
    /// `site.phase_ms`.
    pub phase_ms: i64,
    /// `site.timeout_ms`.
    pub timeout_ms: u32,
    /// `site.name`.
    pub name: &'r str,
    /// `site.url`.
    pub url: &'r str,
    /// `site.request` as text, unread.
    pub request: &'r str,
    /// `site.expect` as text, unread.
    pub expect: &'r str,
    /// The extra instant that the row was found for; `None` if it was found for its regular ones.
    pub check_at: Option<UnixMs>,
}

impl<'r> DueSite<'r> {
    /// Reads a row of [`DUE`], by position: this runs once per task.
    pub fn read(row: &'r QueryResult) -> Result<Self, sqlx::Error> {
        let row = row.try_as_pg_row().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self {
            id: SiteId(row.try_get(0)?),
            shard: row.try_get(1)?,
            interval_ms: row.try_get::<i32, _>(2)?.into(),
            phase_ms: row.try_get::<i32, _>(3)?.into(),
            timeout_ms: row.try_get::<i32, _>(4)?.try_into().unwrap_or(0),
            name: row.try_get(5)?,
            url: row.try_get(6)?,
            request: row.try_get(7)?,
            expect: row.try_get(8)?,
            check_at: row.try_get::<Option<i64>, _>(9)?.map(UnixMs),
        })
    }
}
