//! What the scheduler counts.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use crate::turn::Done;

/// The scheduler's metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// `webmon_schedule_lag_seconds`.
    lag: Gauge<f64, AtomicU64>,
    /// `webmon_schedule_ahead_seconds`.
    ahead: Gauge<f64, AtomicU64>,
    /// `webmon_shards_set_back_total`.
    set_back: Counter,
    /// `webmon_tasks_produced_total`.
    produced: Counter,
    /// `webmon_tasks_invalid_total`.
    invalid: Counter,
    /// `webmon_gaps_recorded_total`.
    gaps: Counter,
    /// `webmon_turns_failed_total`.
    failed: Counter,
    /// `webmon_checks_lost_total`.
    lost: Counter,
}

impl Metrics {
    /// Metrics that `registry` shows.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "webmon_schedule_lag_seconds",
            "How far the shard furthest from its turn is behind it, or too far ahead",
            metrics.lag.clone(),
        );
        registry.register(
            "webmon_schedule_ahead_seconds",
            "How far ahead of now the shard furthest ahead is scheduled, if that is further than any horizon",
            metrics.ahead.clone(),
        );
        registry.register(
            "webmon_shards_set_back",
            "Shards that were scheduled further ahead than any horizon, and were set back to now",
            metrics.set_back.clone(),
        );
        registry.register(
            "webmon_tasks_produced",
            "Tasks that Kafka acknowledged",
            metrics.produced.clone(),
        );
        registry.register(
            "webmon_tasks_invalid",
            "Tasks that could not be sent, recorded as inconclusive (invalid_site)",
            metrics.invalid.clone(),
        );
        registry.register(
            "webmon_gaps_recorded",
            "Spans in which a shard was not scheduled",
            metrics.gaps.clone(),
        );
        registry.register(
            "webmon_turns_failed",
            "Turns that failed and are tried again",
            metrics.failed.clone(),
        );
        registry.register(
            "webmon_checks_lost",
            "Checks that left no result, recorded as missed (lost) by the reconciler",
            metrics.lost.clone(),
        );
        metrics
    }

    /// The shard furthest from its turn is this many milliseconds from it.
    pub(crate) fn lag(&self, millis: i64) {
        self.lag.set(seconds(millis));
    }

    /// The shard furthest ahead is this many milliseconds ahead, if that is too far; zero if not.
    pub(crate) fn ahead(&self, millis: i64) {
        self.ahead.set(seconds(millis));
    }

    /// This many shards were set back to now.
    pub(crate) fn set_back(&self, shards: usize) {
        self.set_back.inc_by(shards as u64);
    }

    /// A turn succeeded.
    pub(crate) fn done(&self, done: &Done) {
        self.produced.inc_by(done.tasks as u64);
        self.invalid.inc_by(done.invalid as u64);
        self.gaps.inc_by(done.gaps as u64);
    }

    /// This many checks were found to be lost.
    pub(crate) fn lost(&self, checks: u64) {
        self.lost.inc_by(checks);
    }

    /// A turn failed.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }
}

/// Milliseconds as seconds; more than fifty days are fifty days.
fn seconds(millis: i64) -> f64 {
    f64::from(u32::try_from(millis.max(0)).unwrap_or(u32::MAX)) / 1_000.0
}
