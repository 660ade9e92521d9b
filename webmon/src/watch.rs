//! What `webmon up` shows while it runs: changes of verdicts, and a summary every ten seconds.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Local};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::entity::site;
use contract::outcome::Outcome;
use contract::result::CheckResult;
use contract::site::parse_url;
use runtime::program::say;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often a summary is shown.
const EVERY: Duration = Duration::from_secs(10);
/// Of so many sites the first verdict is shown even if it is `up`.
const MOST_GREETED: usize = 20;

/// Shows results until nobody sends any.
pub async fn watch(
    database: DatabaseConnection,
    mut results: mpsc::Receiver<Vec<CheckResult>>,
) -> Result<()> {
    let mut board = Board::default();
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let lines = tokio::select! {
            batch = results.recv() => match batch {
                Some(batch) => {
                    board.learn_names(&database, &batch).await;
                    board.changes(&batch)
                }
                None => return Ok(()),
            },
            _ = ticks.tick() => vec![board.summary()],
        };
        for line in lines {
            say(line).wrap_err("write to standard output")?;
        }
    }
}

/// What is known of the sites.
#[derive(Debug, Default)]
struct Board {
    /// What the lines need of each site, by id.
    known: HashMap<i64, Known>,
    /// Each site's last verdict.
    verdicts: HashMap<i64, Outcome>,
    /// Results since the last summary, by outcome.
    counts: BTreeMap<Outcome, usize>,
    /// How late they started, in microseconds.
    lateness_us: Vec<i64>,
}

/// A text of somebody else's, as it may stand on a terminal: control characters become dots.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}

/// What a line says of its site.
#[derive(Debug)]
struct Known {
    /// `site.name`.
    name: String,
    /// The port of `site.url`.
    port: Option<u16>,
}

impl Board {
    /// Looks up the names of sites that are new. Without an answer the id is shown.
    async fn learn_names(&mut self, database: &DatabaseConnection, batch: &[CheckResult]) {
        let ids = batch.iter().map(|result| result.site_id);
        let unknown: Vec<i64> = ids.filter(|id| !self.known.contains_key(id)).collect();
        if unknown.is_empty() {
            return;
        }
        let found = site::Entity::find()
            .select_only()
            .columns([site::Column::Id, site::Column::Name, site::Column::Url])
            .filter(site::Column::Id.is_in(unknown))
            .into_tuple::<(i64, String, String)>()
            .all(database)
            .await;
        for (id, name, url) in found.unwrap_or_default() {
            let port = parse_url(&url)
                .ok()
                .and_then(|url| url.port_or_known_default());
            self.known.insert(id, Known { name, port });
        }
    }

    /// Takes note of results; the lines of those that change a site's verdict.
    fn changes(&mut self, batch: &[CheckResult]) -> Vec<String> {
        let mut lines = Vec::new();
        for result in batch {
            *self.counts.entry(result.outcome()).or_default() += 1;
            if let Some(started_at_us) = result.measured.started_at_us {
                self.lateness_us
                    .push(started_at_us - result.scheduled_at * 1_000);
            }
            // A check that was not made says nothing about its site.
            if result.outcome() == Outcome::Missed {
                continue;
            }
            let before = self.verdicts.insert(result.site_id, result.outcome());
            let greeted = before.is_none() && self.verdicts.len() <= MOST_GREETED;
            let changed = before.unwrap_or(Outcome::Up) != result.outcome();
            if changed || greeted {
                let line = Line {
                    result,
                    site: self.known.get(&result.site_id),
                    before,
                };
                lines.push(line.to_string());
            }
        }
        lines
    }

    /// The summary of what came since the last one.
    fn summary(&mut self) -> String {
        let mut sites: BTreeMap<Outcome, usize> = BTreeMap::new();
        for outcome in self.verdicts.values() {
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
            self.verdicts.len(),
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
    /// The result that changed the verdict.
    result: &'a CheckResult,
    /// Its site, if it was found.
    site: Option<&'a Known>,
    /// The verdict before; `None` if there was none.
    before: Option<Outcome>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            result,
            site,
            before,
        } = self;
        let at_us = result
            .measured
            .started_at_us
            .unwrap_or(result.scheduled_at * 1_000);
        let at = DateTime::from_timestamp_micros(at_us)
            .unwrap_or_default()
            .with_timezone(&Local);
        write!(f, "{} ", at.format("%H:%M:%S"))?;
        match site {
            Some(site) => write!(f, "{} ", harmless(&site.name))?,
            None => write!(f, "site {} ", result.site_id)?,
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
mod tests {
    use contract::outcome::Reason;

    use super::*;

    fn result(reason: Option<Reason>) -> CheckResult {
        let mut result = CheckResult::unmeasured(7, 1_795_449_600_000, Reason::Internal);
        result.reason = reason;
        result.measured.started_at_us = Some(1_795_449_600_000_500);
        result
    }

    fn board() -> Board {
        Board {
            known: HashMap::from([(
                7,
                Known {
                    name: "shop".to_owned(),
                    port: Some(80),
                },
            )]),
            ..Board::default()
        }
    }

    #[test]
    fn a_change_of_verdict_is_one_line_and_no_change_is_none() {
        let mut board = board();
        assert!(board.changes(&[result(None)])[0].ends_with(" shop up"));
        assert!(board.changes(&[result(None)]).is_empty());
        let mut down = result(Some(Reason::ConnectRefused)).with_detail("connect: refused");
        down.measured.address = Some([127, 0, 0, 1].into());
        let line = board.changes(&[down.clone()]).remove(0);
        assert!(
            line.ends_with(" shop up → down (connect_refused, 127.0.0.1:80): connect: refused"),
            "{line}"
        );
        assert!(board.changes(&[down]).is_empty());
        assert!(board.changes(&[result(None)])[0].ends_with(" shop down → up"));
    }

    #[test]
    fn a_check_that_was_not_made_changes_no_verdict_but_is_counted() {
        let mut board = board();
        board.changes(&[result(None), result(Some(Reason::Late))]);
        let summary = board.summary();
        assert!(summary.ends_with(" 1 sites: 1 up; 1 checks in 10 s, 1 missed, started 0.5 ms late (p50), 0.5 ms (p99)"), "{summary}");
    }
}
