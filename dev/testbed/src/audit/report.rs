//! What an audit found.

use std::collections::BTreeMap;
use std::fmt;

use super::{Instant, Row};

/// How many instants of each fault are named.
const NAMED: usize = 10;

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Due instants.
    pub due: usize,
    /// Due instants without a row that lie in a gap.
    pub in_gaps: usize,
    /// Due instants with neither row nor gap.
    pub missing: Vec<Instant>,
    /// Instants that have a second row.
    pub repeated: Vec<Instant>,
    /// Instants that have a row and were not due.
    pub foreign: Vec<Instant>,
    /// Instants whose check was started before it was due, or after it had expired.
    pub untimely: Vec<Instant>,
    /// Rows by outcome and reason.
    pub verdicts: BTreeMap<String, usize>,
    /// Starts after the due instant, in microseconds, ascending.
    pub lateness_us: Vec<i64>,
}

impl Report {
    /// Takes a row into the statistics.
    pub(super) fn count(&mut self, row: &Row) {
        *self.verdicts.entry(row.verdict.clone()).or_default() += 1;
        let started = row.started_at_us;
        self.lateness_us
            .extend(started.map(|at| at - row.scheduled_at * 1_000));
    }

    /// To be called after the last row.
    pub(super) fn finish(&mut self) {
        self.lateness_us.sort_unstable();
    }

    /// How many instants are not as promised.
    pub fn faults(&self) -> usize {
        self.missing.len() + self.repeated.len() + self.foreign.len() + self.untimely.len()
    }

    /// Shows it also when the test passes.
    pub fn show(&self) {
        crate::show(self);
    }

    /// Fails the test unless every due instant has exactly one row or lies in a gap.
    pub fn assert_clean(&self) {
        let faults = self.faults();
        assert!(faults == 0, "{faults} checks are not accounted for\n{self}");
    }

    /// How many rows have this verdict: `up`, `down/status`, or all of an outcome: `missed`.
    pub fn rows(&self, verdict: &str) -> usize {
        let of_outcome = format!("{verdict}/");
        let counts = self.verdicts.iter();
        let counts = counts.filter(|(name, _)| *name == verdict || name.starts_with(&of_outcome));
        counts.map(|(_, count)| count).sum()
    }

    /// The lateness, in milliseconds, that so many percent of the starts do not exceed.
    fn percentile_ms(&self, percent: usize) -> f64 {
        let last = self.lateness_us.len().saturating_sub(1);
        let micros = self
            .lateness_us
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default();
        // Hours of lateness are far within what an f64 tells exactly.
        #[expect(clippy::cast_precision_loss, reason = "a number to look at")]
        let micros = micros as f64;
        micros / 1_000.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} due instants: {} missing, {} in gaps; {} second rows, {} rows not due, {} untimely",
            self.due,
            self.missing.len(),
            self.in_gaps,
            self.repeated.len(),
            self.foreign.len(),
            self.untimely.len()
        )?;
        for (fault, instants) in [
            ("missing", &self.missing),
            ("second row", &self.repeated),
            ("not due", &self.foreign),
            ("untimely", &self.untimely),
        ] {
            for Instant { site, at } in instants.iter().take(NAMED) {
                writeln!(f, "  {fault}: {site} at {at}")?;
            }
        }
        let verdicts = self
            .verdicts
            .iter()
            .map(|(name, count)| format!("{count} {name}"));
        writeln!(f, "rows: {}", verdicts.collect::<Vec<_>>().join(", "))?;
        write!(f, "start lateness in ms:")?;
        for (name, percent) in [
            ("min", 0),
            ("p50", 50),
            ("p90", 90),
            ("p99", 99),
            ("max", 100),
        ] {
            write!(f, " {name} {:.1}", self.percentile_ms(percent))?;
        }
        Ok(())
    }
}
