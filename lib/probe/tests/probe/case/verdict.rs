//! What a check says, compared with what its case says.

use std::fmt::Debug;
use std::time::Duration;

use contract::outcome::{Outcome, Reason};
use contract::result::Phases;
use probe::Watched;

use super::{Case, LATE_MS};
use crate::{detail, phases};

impl Case {
    /// What is not as it should be, apart from times.
    pub(super) fn compare(&self, watched: &Watched) -> Vec<String> {
        let result = &watched.result;
        let measured = &result.measured;
        let loopback = self.dialled.then(|| "127.0.0.1".parse().unwrap());
        let body_bytes = measured.body_bytes.filter(|_| self.body_bytes.is_some());
        let outcome = result.reason.map_or(Outcome::Up, Reason::outcome);
        let mut failures: Vec<_> = [
            differs("outcome", &outcome, &self.outcome),
            differs("reason", &result.reason, &self.reason),
            differs("phases", phases(result).as_str(), self.phases),
            differs("connections", &watched.hops.len(), &self.hops),
            differs("status", &measured.status, &self.status),
            differs("address", &measured.address, &loopback),
            differs("body_bytes", &body_bytes, &self.body_bytes),
        ]
        .into_iter()
        .flatten()
        .collect();
        let said = detail(result);
        if !said.starts_with(&self.said) || said.is_empty() != self.said.is_empty() {
            failures.push(format!("the detail does not begin with {:?}", self.said));
        }
        failures
    }

    /// Which times are not as they should be.
    pub(super) fn compare_times(&self, watched: &Watched, elapsed: Duration) -> Option<String> {
        let phases = watched.result.measured.phases;
        let Some(total) = phases.total_us else {
            return differs("connections without a total", &watched.hops.len(), &0);
        };
        // every phase of every connection is rounded down to a microsecond
        let rounding = 5 * u64::try_from(watched.hops.len()).unwrap();
        let gap = total.checked_sub(sum(&phases));
        if gap.is_none_or(|gap| gap > rounding) {
            return Some(format!("the phases do not add up: {gap:?} µs are left"));
        }
        for hop in &watched.hops {
            if hop.phases.total_us != Some(sum(&hop.phases)) {
                return Some(format!("a connection's phases do not add up: {hop:?}"));
            }
        }
        let (least, most) = self.took_ms;
        let early = total < least * 1_000;
        let late = total > most * 1_000 || elapsed > Duration::from_millis(most + LATE_MS);
        (early || late).then(|| format!("took {elapsed:?}, expected {least} to {most} ms"))
    }
}

/// The sum of all phases.
fn sum(phases: &Phases) -> u64 {
    let p = phases;
    let parts = [p.dns_us, p.connect_us, p.tls_us, p.wait_us, p.receive_us];
    parts.into_iter().flatten().sum()
}

/// What to say if two values differ.
fn differs<T: Debug + PartialEq + ?Sized>(what: &str, found: &T, expected: &T) -> Option<String> {
    (found != expected).then(|| format!("{what}: {found:?}, expected {expected:?}"))
}
