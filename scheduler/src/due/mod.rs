//! Due: which sites are due in the windows of a turn, by range scans alone.
//!
//! SQL finds the rows whose phase falls into a window; [`contract::schedule`] computes the instants.
//! The number of statements does not depend on the number of sites, and nothing is kept per site.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::instant::UnixMs;
use contract::schedule::{due_instants, is_due_at};
use futures_util::Stream;
use sea_orm::{ConnectionTrait, QueryResult, StreamTrait, TryGetError};
use store::{
    schedule_gap::Gap,
    site::{self, DueSite, PhaseRange},
};

use crate::claim::Claim;

/// The windows of one turn: where each claimed shard starts, and which intervals its sites have.
#[derive(Debug)]
pub(crate) struct Windows {
    /// The start of the turn.
    now: UnixMs,
    /// The end of every window.
    until: UnixMs,
    /// For each claimed shard the end of its last window.
    since: BTreeMap<i16, UnixMs>,
    /// The distinct intervals of each shard.
    intervals: Vec<(i16, i64)>,
}

impl Windows {
    /// Finds the intervals of the claimed shards.
    pub(crate) async fn read(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<Self> {
        let rows = transaction
            .query_all_raw(site::intervals(claim.ids()))
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
    fn since(&self, shard: i16, interval_ms: i64) -> UnixMs {
        let since = self.since.get(&shard).copied().unwrap_or(self.until);
        since.max(self.now.plus_ms(-interval_ms))
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
        let due = site::due(&self.phase_ranges(), &self.since, self.until);
        transaction.stream_raw(due).await.wrap_err("read due sites")
    }

    /// The due instants for which a row was found.
    pub(crate) fn instants(&self, site: &DueSite<'_>) -> impl Iterator<Item = UnixMs> + use<> {
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
                let until = self.now.plus_ms(-interval_ms);
                (since < until).then_some(Gap {
                    shard,
                    since,
                    until,
                })
            })
            .collect()
    }
}

/// The phases whose instants fall into `(since, until]`: none, one range, or two around zero.
fn phases(interval_ms: i64, since: UnixMs, until: UnixMs) -> [Option<(i64, i64)>; 2] {
    if until <= since {
        return [None, None];
    }
    if until.ms_since(since) >= interval_ms {
        return [Some((0, interval_ms - 1)), None];
    }
    let (first, last) = (
        (since.0 + 1).rem_euclid(interval_ms),
        until.0.rem_euclid(interval_ms),
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
