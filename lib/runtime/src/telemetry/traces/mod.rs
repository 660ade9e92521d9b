//! Traces of checks for OpenTelemetry: each stage of a check sends its spans to a collector.
//!
//! ```text
//! stages ──► queue ──► batches ──► OTLP over HTTP, as JSON
//!            bounded   a thread    ureq
//! ```
//!
//! No check waits for a trace: a span that finds no room, or that the collector does not take at the first
//! attempt, is counted and forgotten. Which spans there are, and of which checks, is
//! [`contract::trace`]'s to say.
//!
//! The exporter is our own, as OpenTelemetry's brings some twenty crates, an HTTP client among them; the
//! protocol is one request, and its client is here already.

mod counters;
mod export;
mod json;
mod span;

use std::{
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use contract::check::CheckKey;
use contract::trace::{Share, Trace};
use prometheus_client::metrics::counter::Counter;
use tokio::{sync::oneshot, time::timeout};

pub(super) use self::counters::SpanCounters;
use self::export::Export;
pub use self::span::{Kind, Span, Value};
use super::Endpoints;
use crate::config::TracesConfig;

/// Spans that wait to be exported: about a thousand checks, two megabytes.
const QUEUE_DEPTH: usize = 8_192;
/// How long a service that stops waits for its last spans to be exported.
const FLUSH: Duration = Duration::from_secs(1);

/// Where spans go. Clones share one queue; when all are gone the thread that exports ends.
#[derive(Clone, Debug)]
pub struct Traces {
    /// Which checks are traced.
    share: Share,
    /// The queue.
    queue: SyncSender<Span>,
    /// Spans that were not exported.
    dropped: Counter,
}

/// The thread that exports, if there is one.
#[derive(Debug)]
pub struct Exporter(Option<oneshot::Receiver<()>>);

impl Traces {
    /// Starts to export for a service of this name, if the configuration says where to.
    pub fn start(
        config: Option<&TracesConfig>,
        service: &str,
        endpoints: &Endpoints,
    ) -> io::Result<(Option<Self>, Exporter)> {
        let Some(config) = config else {
            return Ok((None, Exporter(None)));
        };
        let counters = endpoints.spans();
        let (queue, spans) = sync_channel(QUEUE_DEPTH);
        let traces = Self {
            share: config.share,
            queue,
            dropped: counters.dropped.clone(),
        };
        let export = Export::new(config, service, spans, counters);
        let (running, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("traces".to_owned());
        thread.spawn(move || export.run(&running))?;
        Ok((Some(traces), Exporter(Some(ended))))
    }

    /// The trace of a check, if it is traced.
    pub fn of(&self, check: CheckKey) -> Option<Trace> {
        let trace = Trace::of(check);
        self.share.takes(trace).then_some(trace)
    }

    /// Exports a span some time, or drops it; never waits.
    pub fn add(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.leave_out();
        }
    }

    /// Counts a span for which there is no room.
    pub fn leave_out(&self) {
        self.dropped.inc();
    }
}

impl Exporter {
    /// Runs a service, and when that has ended lets its last spans be exported, but not for long.
    pub async fn after<T>(self, service: impl Future<Output = T>) -> T {
        let result = service.await;
        if let Some(ended) = self.0 {
            // What is left after that is left behind: the thread sees that the service no longer waits.
            drop(timeout(FLUSH, ended).await);
        }
        result
    }
}
