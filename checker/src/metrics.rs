//! What the checker counts.

use std::sync::atomic::AtomicI64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::rows::Written;

/// Upper bounds of start lateness, in seconds.
const LATENESS_BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Upper bounds of the time of one recording statement, in seconds.
const RECORD_BUCKETS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0];

/// The labels of `webmon_checks_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Verdict {
    /// `check_result.outcome`.
    outcome: String,
    /// `check_result.reason`; empty for `up`.
    reason: String,
}

/// The checker's metrics, as DESIGN names them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `webmon_checks_total`: rows written, by verdict.
    checks: Family<Verdict, Counter>,
    /// `webmon_results_recorded_total`: rows written.
    results_recorded: Counter,
    /// `webmon_start_lateness_seconds`.
    start_lateness: Histogram,
    /// `webmon_in_flight`.
    pub(crate) in_flight: Gauge,
    /// `webmon_hold_size`.
    pub(crate) hold_size: Gauge,
    /// `webmon_hold_bytes`.
    pub(crate) hold_bytes: Gauge,
    /// `webmon_record_seconds`.
    pub(crate) record_seconds: Histogram,
    /// `webmon_record_failed_total`.
    pub(crate) record_failed: Counter,
    /// `webmon_results_refused_total`.
    pub(crate) refused: Counter,
    /// `webmon_poison_total`.
    pub(crate) poison: Counter,
    /// `webmon_foreign_total`.
    pub(crate) foreign: Counter,
}

impl Metrics {
    /// Metrics that nobody sees yet.
    fn new() -> Self {
        Self {
            checks: Family::default(),
            results_recorded: Counter::default(),
            start_lateness: Histogram::new(LATENESS_BUCKETS),
            in_flight: Gauge::<i64, AtomicI64>::default(),
            hold_size: Gauge::default(),
            hold_bytes: Gauge::default(),
            record_seconds: Histogram::new(RECORD_BUCKETS),
            record_failed: Counter::default(),
            refused: Counter::default(),
            poison: Counter::default(),
            foreign: Counter::default(),
        }
    }

    /// Metrics that `registry` shows.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::new();
        let Self {
            checks,
            results_recorded,
            start_lateness,
            in_flight,
            hold_size,
            hold_bytes,
            record_seconds,
            record_failed,
            refused,
            poison,
            foreign,
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
            ("webmon_poison", "Messages that were no tasks", poison),
            (
                "webmon_foreign",
                "Messages of another installation",
                foreign,
            ),
        ] {
            registry.register(name, help, counter);
        }
        for (name, help, gauge) in [
            ("webmon_in_flight", "Checks under way", in_flight),
            ("webmon_hold_size", "Tasks that are held", hold_size),
            ("webmon_hold_bytes", "What these tasks occupy", hold_bytes),
        ] {
            registry.register(name, help, gauge);
        }
        let help = "From the due instant of a check to its start";
        registry.register("webmon_start_lateness_seconds", help, start_lateness);
        let help = "The time of one recording statement";
        registry.register("webmon_record_seconds", help, record_seconds);
        let help = "Rows written to check_result, by verdict";
        registry.register("webmon_checks", help, checks);
        metrics
    }

    /// A check started this many microseconds after it was due.
    pub(crate) fn started(&self, late_us: i64) {
        let late_us = u32::try_from(late_us.max(0)).unwrap_or(u32::MAX);
        self.start_lateness.observe(f64::from(late_us) / 1e6);
    }

    /// Rows of a verdict were written.
    pub(crate) fn recorded(&self, (outcome, reason, rows): Written) {
        self.checks
            .get_or_create(&Verdict { outcome, reason })
            .inc_by(rows.unsigned_abs());
        self.results_recorded.inc_by(rows.unsigned_abs());
    }
}
