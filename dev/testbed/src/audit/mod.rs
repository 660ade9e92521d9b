//! Was every scheduled check accounted for? Asked of the tables alone.
//!
//! The due instants are computed here once more, from the names of the sites, and not with the code
//! under test: a site's shard and phase are taken from the MD5 of its name, and it is due at every
//! instant `t` with `(t - phase) mod interval = 0`, and at `check_at`. Each site is audited from
//! `scheduled_from` on, as it is now.

mod load;
mod report;

use std::collections::{HashMap, HashSet};

use md5::{Digest as _, Md5};

pub use load::{load, unstamped};
pub use report::Report;

/// How many shards there are.
const SHARDS: u32 = 64;

/// How much too early a start may seem, as the database's clock is estimated again all the time.
const EARLY_US: i64 = 2_000;
/// How much too late one may be: the time from the last look at the clock to the start.
const LATE_US: i64 = 100_000;

/// What the tables say. Instants are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The enabled sites that are audited.
    pub sites: Vec<Site>,
    /// The spans that were not scheduled.
    pub gaps: Vec<Gap>,
    /// The results.
    pub rows: Vec<Row>,
}

/// An enabled site that was scheduled.
#[derive(Clone, Debug)]
pub struct Site {
    /// `site.id`.
    pub id: i64,
    /// `site.name`.
    pub name: String,
    /// `site.interval_ms`.
    pub interval_ms: i64,
    /// `site.scheduled_from`.
    pub scheduled_from: i64,
    /// `site.check_at`.
    pub check_at: Option<i64>,
}

/// The span `(since, until]` of one shard.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// The shard, 0 to 63.
    pub shard: u32,
    /// The last instant before it.
    pub since: i64,
    /// The last instant in it.
    pub until: i64,
}

/// A result.
#[derive(Clone, Debug)]
pub struct Row {
    /// The site.
    pub site_id: i64,
    /// The due instant.
    pub scheduled_at: i64,
    /// The start, in microseconds since the Unix epoch.
    pub started_at_us: Option<i64>,
    /// The outcome, and the reason where there is one: `down/status`.
    pub verdict: String,
}

/// A due instant of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The site's name.
    pub site: String,
    /// The instant, in milliseconds since the Unix epoch.
    pub at: i64,
}

/// Examines every site up to the instant `until`.
pub fn examine(tables: &Tables, until: i64) -> Report {
    let mut report = Report::default();
    let mut rows: HashMap<i64, Vec<&Row>> = HashMap::new();
    for row in &tables.rows {
        rows.entry(row.site_id).or_default().push(row);
    }
    for site in &tables.sites {
        let rows = rows.remove(&site.id).unwrap_or_default();
        examine_site(site, &rows, &tables.gaps, until, &mut report);
    }
    report.finish();
    report
}

/// Examines one site.
fn examine_site(site: &Site, rows: &[&Row], gaps: &[Gap], until: i64, report: &mut Report) {
    let (shard, phase) = shard_and_phase(&site.name, site.interval_ms);
    let gaps: Vec<_> = gaps.iter().filter(|gap| gap.shard == shard).collect();
    let mut found = HashSet::new();
    for row in rows
        .iter()
        .filter(|row| row.scheduled_at > site.scheduled_from)
    {
        let regular = (row.scheduled_at - phase).rem_euclid(site.interval_ms) == 0;
        if !regular && site.check_at != Some(row.scheduled_at) {
            report.foreign.push(site.instant(row.scheduled_at));
        }
        if !found.insert(row.scheduled_at) {
            report.repeated.push(site.instant(row.scheduled_at));
        }
        if !site.is_timely(row) {
            report.untimely.push(site.instant(row.scheduled_at));
        }
        report.count(row);
    }
    for at in due_instants(site, phase, until) {
        report.due += 1;
        if found.contains(&at) {
            continue;
        }
        if gaps.iter().any(|gap| gap.since < at && at <= gap.until) {
            report.in_gaps += 1;
        } else {
            report.missing.push(site.instant(at));
        }
    }
}

impl Site {
    /// Whether a check that was made was started when it was due, or at least not after the next.
    fn is_timely(&self, row: &Row) -> bool {
        let due = row.scheduled_at * 1_000;
        let expiry = due + self.interval_ms * 1_000;
        row.started_at_us
            .is_none_or(|at| (due - EARLY_US..expiry + LATE_US).contains(&at))
    }

    /// One of its instants.
    fn instant(&self, at: i64) -> Instant {
        Instant {
            site: self.name.clone(),
            at,
        }
    }
}

/// Every instant of `(scheduled_from, until]` at which a site is due, each once.
fn due_instants(site: &Site, phase: i64, until: i64) -> Vec<i64> {
    let mut at = site.scheduled_from + 1;
    at += (phase - at).rem_euclid(site.interval_ms);
    let mut instants = Vec::new();
    while at <= until {
        instants.push(at);
        at += site.interval_ms;
    }
    let extra = site
        .check_at
        .filter(|at| (site.scheduled_from + 1..=until).contains(at));
    instants.extend(extra.filter(|at| (at - phase).rem_euclid(site.interval_ms) != 0));
    instants
}

/// A name's MD5 says its shard by its first 32 bits, its phase by the 60 that follow.
fn shard_and_phase(name: &str, interval_ms: i64) -> (u32, i64) {
    let digest = Md5::digest(name.as_bytes());
    let number = digest
        .iter()
        .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    let shard = (number >> 96) % u128::from(SHARDS);
    let phase = (number >> 36 & ((1 << 60) - 1)) % u128::from(interval_ms.unsigned_abs().max(1));
    (
        u32::try_from(shard).unwrap_or_default(),
        i64::try_from(phase).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
