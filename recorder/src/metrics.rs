//! What the recorder counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use store::check_result::Written;

/// Upper bounds of the time of one recording statement, in seconds.
const RECORD_BUCKETS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0];

/// The labels of `webmon_checks_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    /// `check_result.outcome`.
    outcome: String,
    /// `check_result.reason`; empty for `up`.
    reason: String,
}

/// The recorder's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// `webmon_checks_total`: rows written, by verdict.
    checks: Family<Verdict, Counter>,
    /// `webmon_results_recorded_total`: rows written.
    results_recorded: Counter,
    /// `webmon_record_seconds`.
    pub(crate) record_seconds: Histogram,
    /// `webmon_record_failed_total`.
    pub(crate) record_failed: Counter,
    /// `webmon_results_refused_total`.
    pub(crate) refused: Counter,
}

impl Metrics {
    /// Metrics that `registry` shows.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            checks: Family::default(),
            results_recorded: Counter::default(),
            record_seconds: Histogram::new(RECORD_BUCKETS),
            record_failed: Counter::default(),
            refused: Counter::default(),
        };
        let Self {
            checks,
            results_recorded,
            record_seconds,
            record_failed,
            refused,
        } = metrics.clone();
        for (name, help, counter) in [
            (
                "webmon_results_recorded",
                "Rows written to check_result",
                results_recorded,
            ),
            (
                "webmon_record_failed",
                "Recording statements that failed and are tried again",
                record_failed,
            ),
            (
                "webmon_results_refused",
                "Results that PostgreSQL refused, recorded as inconclusive (internal)",
                refused,
            ),
        ] {
            registry.register(name, help, counter);
        }
        let help = "The time of one recording statement";
        registry.register("webmon_record_seconds", help, record_seconds);
        let help = "Rows written to check_result, by verdict";
        registry.register("webmon_checks", help, checks);
        metrics
    }

    /// Rows of a verdict were written.
    pub(crate) fn recorded(&self, (outcome, reason, rows): Written) {
        self.checks
            .get_or_create(&Verdict { outcome, reason })
            .inc_by(rows.unsigned_abs());
        self.results_recorded.inc_by(rows.unsigned_abs());
    }
}
