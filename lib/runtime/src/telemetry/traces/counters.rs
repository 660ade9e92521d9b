//! What is counted of spans.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

/// What is counted of spans.
#[derive(Clone, Debug, Default)]
pub(in crate::telemetry) struct SpanCounters {
    /// `webmon_spans_exported_total`.
    pub(super) exported: Counter,
    /// `webmon_spans_dropped_total`.
    pub(super) dropped: Counter,
}

impl SpanCounters {
    /// Has `registry` show them.
    pub(in crate::telemetry) fn register(&self, registry: &mut Registry) {
        let Self { exported, dropped } = self.clone();
        let help = "Spans that the collector of traces took";
        registry.register("webmon_spans_exported", help, exported);
        let help = "Spans that it did not take, or that found no room on their way";
        registry.register("webmon_spans_dropped", help, dropped);
    }
}
