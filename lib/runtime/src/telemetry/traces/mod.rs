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

mod export;
mod json;

use std::{
    borrow::Cow,
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use contract::check::CheckKey;
use contract::instant::UnixUs;
use contract::trace::{Share, Trace};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use tokio::{sync::oneshot, time::timeout};

use self::export::Export;
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

/// What is counted of spans.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanCounters {
    /// `webmon_spans_exported_total`.
    exported: Counter,
    /// `webmon_spans_dropped_total`.
    dropped: Counter,
}

/// A part of a check's way, with the times of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The check.
    trace: Trace,
    /// What it is called.
    name: &'static str,
    /// Its own id.
    pub id: u64,
    /// The span that it is a part of; none for the whole check.
    parent: Option<u64>,
    /// What it is to those that it talks to.
    kind: Kind,
    /// When it began.
    start: UnixUs,
    /// When it ended.
    end: UnixUs,
    /// What else there is to say.
    attributes: Vec<(&'static str, Value)>,
    /// How it failed, if it did.
    error: Option<&'static str>,
}

/// How a span relates to other programs, by the numbers of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It stays in this process.
    Internal = 1,
    /// It asks another program.
    Client = 3,
    /// It sends a message to another program.
    Producer = 4,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Whole(i64),
}

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

impl SpanCounters {
    /// Has `registry` show them.
    pub(super) fn register(&self, registry: &mut Registry) {
        let Self { exported, dropped } = self.clone();
        let help = "Spans that the collector of traces took";
        registry.register("webmon_spans_exported", help, exported);
        let help = "Spans that it did not take, or that found no room on their way";
        registry.register("webmon_spans_dropped", help, dropped);
    }
}

impl Span {
    /// The whole of a check.
    pub const fn root(trace: Trace, name: &'static str, (start, end): (UnixUs, UnixUs)) -> Self {
        Self {
            trace,
            name,
            id: trace.root,
            parent: None,
            kind: Kind::Internal,
            start,
            end,
            attributes: Vec::new(),
            error: None,
        }
    }

    /// A part of the span `parent`.
    pub fn below(
        parent: u64,
        trace: Trace,
        name: &'static str,
        (start, end): (UnixUs, UnixUs),
    ) -> Self {
        Self {
            id: trace.span(name, start),
            parent: Some(parent),
            ..Self::root(trace, name, (start, end))
        }
    }

    /// The same, as one that talks to others.
    #[must_use]
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same with one thing more to say.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((key, value.into()));
        self
    }

    /// The same, failed for this reason: one of a few.
    #[must_use]
    pub fn failed(mut self, error: &'static str) -> Self {
        self.error = Some(error);
        self.with("error.type", error)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
