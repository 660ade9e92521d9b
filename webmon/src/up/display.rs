//! What `webmon up` shows while it runs: changes of verdicts, and a summary every ten seconds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Local};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::outcome::Outcome;
use contract::result::CheckResult;
use contract::text::harmless;
use runtime::program::say;
use store::Link;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::site_table::{Known, SiteTable};

/// How often a summary is shown.
const EVERY: Duration = Duration::from_secs(10);
/// Of so many sites the first verdict is shown even if it is `up`.
const MOST_GREETED: usize = 20;

/// Shows results until no service sends any.
pub(super) async fn show(
    database: Link,
    mut results: mpsc::Receiver<Vec<CheckResult>>,
) -> Result<()> {
    let mut sites = SiteTable::new(database);
    let mut verdicts = Verdicts::default();
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let lines = tokio::select! {
            batch = results.recv() => match batch {
                Some(batch) => {
                    let changes = verdicts.changes(&batch);
                    let ids = changes.iter().map(|change| change.result.check.site.0);
                    let known = sites.look_up(ids.collect()).await;
                    verdicts.lines(&changes, known.as_ref())
                }
                None => return Ok(()),
            },
            _ = ticks.tick() => {
                if let Some(enabled) = sites.enabled(verdicts.grown).await {
                    verdicts.keep(&enabled);
                }
                vec![verdicts.summary()]
            }
        };
        for line in lines {
            say(line).wrap_err("write to standard output")?;
        }
    }
}

/// What is known of the sites.
#[derive(Debug, Default)]
struct Verdicts {
    /// Each site's last verdict.
    last: HashMap<i64, Outcome>,
    /// Whether a site has its first verdict since the sites were last compared with the table.
    grown: bool,
    /// Results since the last summary, by outcome.
    counts: BTreeMap<Outcome, usize>,
    /// How late they started, in microseconds.
    lateness_us: Vec<i64>,
}

/// A result that changes its site's verdict.
#[derive(Clone, Copy, Debug)]
struct Change<'a> {
    /// The result.
    result: &'a CheckResult,
    /// The verdict before; `None` if there was none.
    before: Option<Outcome>,
}

impl Verdicts {
    /// Takes note of results; returns those that change a site's verdict.
    fn changes<'a>(&mut self, batch: &'a [CheckResult]) -> Vec<Change<'a>> {
        let mut changes = Vec::new();
        for result in batch {
            *self.counts.entry(result.outcome()).or_default() += 1;
            if let Some(started_at) = result.measured.started_at_us {
                let due = result.check.scheduled_at.to_us();
                self.lateness_us.push(started_at.us_since(due));
            }
            // A check that was not made says nothing about its site.
            if result.outcome() == Outcome::Missed {
                continue;
            }
            let before = self.last.insert(result.check.site.0, result.outcome());
            self.grown |= before.is_none();
            let greeted = before.is_none() && self.last.len() <= MOST_GREETED;
            if greeted || before.unwrap_or(Outcome::Up) != result.outcome() {
                changes.push(Change { result, before });
            }
        }
        changes
    }

    /// The lines of changes. A site that is not among the `known` ones was removed or switched off meanwhile;
    /// without an answer of the table the line has the site's id.
    fn lines(
        &mut self,
        changes: &[Change<'_>],
        known: Option<&HashMap<i64, Known>>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for &change in changes {
            let id = change.result.check.site.0;
            let site = known.and_then(|known| known.get(&id));
            if known.is_some() && site.is_none() {
                self.last.remove(&id);
            } else {
                lines.push(Line { change, site }.to_string());
            }
        }
        lines
    }

    /// Forgets the sites that are not checked any more.
    fn keep(&mut self, enabled: &HashSet<i64>) {
        self.last.retain(|id, _| enabled.contains(id));
        self.grown = false;
    }

    /// The summary of what came since the last one.
    fn summary(&mut self) -> String {
        let mut sites: BTreeMap<Outcome, usize> = BTreeMap::new();
        for outcome in self.last.values() {
            *sites.entry(*outcome).or_default() += 1;
        }
        let counts = std::mem::take(&mut self.counts);
        let made: usize = counts
            .iter()
            .filter(|(outcome, _)| **outcome != Outcome::Missed)
            .map(|(_, n)| n)
            .sum();
        let missed = counts.get(&Outcome::Missed).copied().unwrap_or_default();
        let mut lateness = std::mem::take(&mut self.lateness_us);
        lateness.sort_unstable();
        let missed = if missed == 0 {
            String::new()
        } else {
            format!(", {missed} missed")
        };
        let started = match (percentile(&lateness, 50), percentile(&lateness, 99)) {
            (Some(p50), Some(p99)) => {
                format!(", started {p50:.1} ms late (p50), {p99:.1} ms (p99)")
            }
            _ => String::new(),
        };
        let listed: Vec<_> = sites
            .iter()
            .map(|(outcome, n)| format!("{n} {outcome}"))
            .collect();
        let listed = if listed.is_empty() {
            "no verdicts yet".to_owned()
        } else {
            listed.join(", ")
        };
        format!(
            "{} {} sites: {listed}; {made} checks in {} s{missed}{started}",
            Local::now().format("%H:%M:%S"),
            self.last.len(),
            EVERY.as_secs(),
        )
    }
}

/// A percentile of sorted microseconds, in milliseconds.
fn percentile(sorted_us: &[i64], percent: usize) -> Option<f64> {
    let at = sorted_us.len().saturating_sub(1) * percent / 100;
    let micros = i32::try_from(*sorted_us.get(at)?).unwrap_or(i32::MAX);
    Some(f64::from(micros) / 1_000.0)
}

/// `12:00:03 shop up → down (connect_refused, 127.0.0.1:80): connect: connection refused`
struct Line<'a> {
    /// What it tells.
    change: Change<'a>,
    /// The site, if it was found.
    site: Option<&'a Known>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, site } = self;
        let Change { result, before } = change;
        let started_at = result.measured.started_at_us;
        let at = started_at.unwrap_or(result.check.scheduled_at.to_us());
        let at = DateTime::from_timestamp_micros(at.0)
            .unwrap_or_default()
            .with_timezone(&Local);
        write!(f, "{} ", at.format("%H:%M:%S"))?;
        match site {
            Some(site) => write!(f, "{} ", harmless(&site.name))?,
            None => write!(f, "site {} ", result.check.site)?,
        }
        if let Some(before) = before {
            write!(f, "{before} → ")?;
        }
        write!(f, "{}", result.outcome())?;
        let Some(reason) = result.reason else {
            return Ok(());
        };
        write!(f, " ({reason}")?;
        match (result.measured.address, site.and_then(|site| site.port)) {
            (Some(address), Some(port)) => write!(f, ", {}", SocketAddr::new(address, port))?,
            (Some(address), None) => write!(f, ", {address}")?,
            (None, _) => {}
        }
        f.write_str(")")?;
        match &result.detail {
            Some(detail) => write!(f, ": {}", harmless(detail)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "display_tests.rs"]
mod tests;
