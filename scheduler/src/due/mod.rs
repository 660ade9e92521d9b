//! Due: which sites are due in the windows of a turn, by range scans alone.
//!
//! SQL finds the rows whose phase falls into a window; [`contract::schedule`] computes the instants.
//! The number of statements does not depend on the number of sites, and nothing is kept per site.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::schedule::{due_instants, is_due_at};
use futures_util::Stream;
use sea_orm::{
    ConnectionTrait, QueryResult, StreamTrait, TryGetError,
    sqlx::{self, Row as _},
};
use store::sql;

use crate::claim::Claim;

/// Hops from one distinct interval of a shard to the next on the index `(shard, interval_ms, …)`.
pub(crate) const INTERVALS: &str = "\
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

/// The due rows: regular ones by ranges of phases, extra ones (`check_at`) by ranges of instants.
///
/// `OFFSET 0` keeps each range a subquery of its own. The planner would otherwise begin with the sites,
/// as it expects few of them to be due, and read every `check_at` that ever was, once per turn.
pub(crate) const DUE: &str = "\
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

/// A row that is due, with what its tasks need; the texts are the row's own.
#[derive(Debug)]
pub(crate) struct DueSite<'r> {
    /// `site.id`.
    pub(crate) id: i64,
    /// `site.shard`.
    shard: i16,
    /// `site.interval_ms`.
    pub(crate) interval_ms: i64,
    /// `site.phase_ms`.
    phase_ms: i64,
    /// `site.timeout_ms`.
    pub(crate) timeout_ms: u32,
    /// `site.name`.
    pub(crate) name: &'r str,
    /// `site.url`.
    pub(crate) url: &'r str,
    /// `site.request` as text, unread.
    pub(crate) request: &'r str,
    /// `site.expect` as text, unread.
    pub(crate) expect: &'r str,
    /// The extra instant that the row was found for; `None` if it was found for its regular ones.
    check_at: Option<i64>,
}

impl<'r> DueSite<'r> {
    /// Reads a row of [`DUE`], by position: this runs once per task.
    pub(crate) fn read(row: &'r QueryResult) -> Result<Self, sqlx::Error> {
        let row = row.try_as_pg_row().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self {
            id: row.try_get(0)?,
            shard: row.try_get(1)?,
            interval_ms: row.try_get::<i32, _>(2)?.into(),
            phase_ms: row.try_get::<i32, _>(3)?.into(),
            timeout_ms: row.try_get::<i32, _>(4)?.try_into().unwrap_or(0),
            name: row.try_get(5)?,
            url: row.try_get(6)?,
            request: row.try_get(7)?,
            expect: row.try_get(8)?,
            check_at: row.try_get(9)?,
        })
    }
}

/// The windows of one turn: where each claimed shard starts, and which intervals its sites have.
#[derive(Debug)]
pub(crate) struct Windows {
    /// The start of the turn.
    now: i64,
    /// The end of every window.
    until: i64,
    /// For each claimed shard the end of its last window.
    since: BTreeMap<i16, i64>,
    /// The distinct intervals of each shard.
    intervals: Vec<(i16, i64)>,
}

/// A range of phases in which the sites of one shard and interval are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PhaseRange {
    /// `site.shard`.
    shard: i16,
    /// `site.interval_ms`.
    interval_ms: i32,
    /// The first phase.
    first: i32,
    /// The last phase.
    last: i32,
}

impl Windows {
    /// Finds the intervals of the claimed shards.
    pub(crate) async fn read(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<Self> {
        let ids: Vec<i16> = claim.shards.iter().map(|shard| shard.id).collect();
        let rows = transaction
            .query_all_raw(sql::statement(INTERVALS, [ids.into()]))
            .await
            .wrap_err("find the intervals of the claimed shards")?;
        let intervals = rows
            .iter()
            .map(|row| {
                Ok((
                    row.try_get_by_index(0)?,
                    row.try_get_by_index::<i32>(1)?.into(),
                ))
            })
            .collect::<Result<_, TryGetError>>()
            .map_err(sea_orm::DbErr::from)
            .wrap_err("read site.interval_ms")?;
        Ok(Self::new(claim, intervals))
    }

    /// The windows of a claim whose shards have these intervals.
    fn new(claim: &Claim, intervals: Vec<(i16, i64)>) -> Self {
        let since = claim
            .shards
            .iter()
            .map(|shard| (shard.id, shard.scheduled_until))
            .collect();
        Self {
            now: claim.now,
            until: claim.until,
            since,
            intervals,
        }
    }

    /// Where the window of a shard starts for an interval: what has expired is not scheduled.
    /// `t > now - interval` is exactly the latest due instant of each site.
    fn since(&self, shard: i16, interval_ms: i64) -> i64 {
        let since = self.since.get(&shard).copied().unwrap_or(self.until);
        since.max(self.now - interval_ms)
    }

    /// The ranges of phases that are due.
    fn phase_ranges(&self) -> Vec<PhaseRange> {
        self.intervals
            .iter()
            .flat_map(|&(shard, interval_ms)| {
                let since = self.since(shard, interval_ms);
                phases(interval_ms, since, self.until)
                    .into_iter()
                    .flatten()
                    .filter_map(move |(first, last)| {
                        Some(PhaseRange {
                            shard,
                            interval_ms: interval_ms.try_into().ok()?,
                            first: first.try_into().ok()?,
                            last: last.try_into().ok()?,
                        })
                    })
            })
            .collect()
    }

    /// Streams the due rows.
    pub(crate) async fn stream<'a, C: StreamTrait>(
        &self,
        transaction: &'a C,
    ) -> Result<impl Stream<Item = Result<QueryResult, sea_orm::DbErr>> + use<'a, C>> {
        let ranges = self.phase_ranges();
        let values = [
            ranges
                .iter()
                .map(|range| range.shard)
                .collect::<Vec<_>>()
                .into(),
            ranges
                .iter()
                .map(|range| range.interval_ms)
                .collect::<Vec<_>>()
                .into(),
            ranges
                .iter()
                .map(|range| range.first)
                .collect::<Vec<_>>()
                .into(),
            ranges
                .iter()
                .map(|range| range.last)
                .collect::<Vec<_>>()
                .into(),
            self.since.keys().copied().collect::<Vec<_>>().into(),
            self.since.values().copied().collect::<Vec<_>>().into(),
            self.until.into(),
        ];
        transaction
            .stream_raw(sql::statement(DUE, values))
            .await
            .wrap_err("read due sites")
    }

    /// The due instants for which a row was found.
    pub(crate) fn instants(&self, site: &DueSite<'_>) -> impl Iterator<Item = i64> + use<> {
        let since = self.since(site.shard, site.interval_ms);
        let (interval, phase) = (site.interval_ms, site.phase_ms);
        // On a regular instant the extra one is the same task, and the regular row brings it.
        let extra = site
            .check_at
            .filter(|t| *t > since && !is_due_at(phase, interval, *t));
        let until = if site.check_at.is_some() {
            since
        } else {
            self.until
        };
        due_instants(phase, interval, since, until).chain(extra)
    }

    /// The gaps, in which nothing was scheduled: a downtime, as far as the shard's shortest interval does not
    /// reach back.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let mut shortest = BTreeMap::new();
        for &(shard, interval_ms) in &self.intervals {
            let least = shortest.entry(shard).or_insert(interval_ms);
            *least = interval_ms.min(*least);
        }
        shortest
            .into_iter()
            .filter_map(|(shard, interval_ms)| {
                let since = *self.since.get(&shard)?;
                let until = self.now - interval_ms;
                (since < until).then_some(Gap {
                    shard,
                    since,
                    until,
                })
            })
            .collect()
    }
}

/// A time `(since, until]` in which a shard's sites were not scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// `schedule_gap.shard`.
    pub(crate) shard: i16,
    /// `schedule_gap.since`, in milliseconds since the Unix epoch.
    pub(crate) since: i64,
    /// `schedule_gap.until`, likewise.
    pub(crate) until: i64,
}

impl Gap {
    /// How long it is, in milliseconds.
    pub(crate) const fn length_ms(&self) -> i64 {
        self.until - self.since
    }
}

/// The phases whose instants fall into `(since, until]`: none, one range, or two around zero.
fn phases(interval_ms: i64, since: i64, until: i64) -> [Option<(i64, i64)>; 2] {
    if until <= since {
        return [None, None];
    }
    if until - since >= interval_ms {
        return [Some((0, interval_ms - 1)), None];
    }
    let (first, last) = (
        (since + 1).rem_euclid(interval_ms),
        until.rem_euclid(interval_ms),
    );
    if first <= last {
        [Some((first, last)), None]
    } else {
        [Some((first, interval_ms - 1)), Some((0, last))]
    }
}

#[cfg(test)]
mod query_plan_tests;

#[cfg(test)]
mod tests;
