//! What the checker counts.

use std::sync::atomic::AtomicI64;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds of start lateness, in seconds.
const LATENESS_BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];

/// The checker's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Those of the recorder: what became of the rows.
    pub(crate) rows: recorder::Metrics,
    /// `webmon_start_lateness_seconds`.
    start_lateness: Histogram,
    /// `webmon_in_flight`.
    pub(crate) in_flight: Gauge,
    /// `webmon_hold_size`.
    pub(crate) hold_size: Gauge,
    /// `webmon_hold_bytes`.
    pub(crate) hold_bytes: Gauge,
    /// `webmon_poison_total`.
    pub(crate) poison: Counter,
    /// `webmon_foreign_total`.
    pub(crate) foreign: Counter,
}

impl Metrics {
    /// Metrics that `registry` shows.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            rows: recorder::Metrics::register(registry),
            start_lateness: Histogram::new(LATENESS_BUCKETS),
            in_flight: Gauge::<i64, AtomicI64>::default(),
            hold_size: Gauge::default(),
            hold_bytes: Gauge::default(),
            poison: Counter::default(),
            foreign: Counter::default(),
        };
        let Self {
            rows: _,
            start_lateness,
            in_flight,
            hold_size,
            hold_bytes,
            poison,
            foreign,
        } = metrics.clone();
        for (name, help, counter) in [
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
        metrics
    }

    /// A check started this many microseconds after it was due.
    pub(crate) fn started(&self, late_us: i64) {
        let late_us = u32::try_from(late_us.max(0)).unwrap_or(u32::MAX);
        self.start_lateness.observe(f64::from(late_us) / 1e6);
    }
}
