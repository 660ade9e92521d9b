//! The thread that exports: spans from the queue become requests to the collector.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{Arc, mpsc::Receiver},
    time::{Duration, Instant},
};

use rustls::crypto::aws_lc_rs;
use serde_json::Value as Json;
use tokio::sync::oneshot;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{counters::SpanCounters, json, span::Span};
use crate::{config::TracesConfig, retry::Outage};

/// The spans of one request.
const BATCH_SPANS: usize = 512;
/// How long spans are collected for a request.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time for one request.
const LIMIT: Duration = Duration::from_secs(5);

/// What exports.
pub(super) struct Export {
    /// Where the spans come from.
    spans: Receiver<Span>,
    /// Where they go.
    url: String,
    /// Whose they are.
    resource: Json,
    /// The HTTP client.
    agent: Agent,
    /// Whether the collector takes them.
    outage: Outage,
    /// What is counted.
    counters: SpanCounters,
}

impl Export {
    /// Exports the spans of a service of this name.
    pub(super) fn new(
        config: &TracesConfig,
        service: &str,
        spans: Receiver<Span>,
        counters: &SpanCounters,
    ) -> Self {
        // The keys of `RandomState` differ from one to the next, and so do instances.
        let instance = format!("{:016x}", RandomState::new().build_hasher().finish());
        Self {
            spans,
            url: config.url.clone(),
            resource: json::resource(service, &instance),
            agent: agent(&config.url),
            outage: Outage::new(format!("the collector of traces, {},", config.url)),
            counters: counters.clone(),
        }
    }

    /// Exports until no stage can add spans any more and all are exported, or until the service no longer waits for
    /// that.
    pub(super) fn run(mut self, running: &oneshot::Sender<()>) {
        while !running.is_closed()
            && let Some(batch) = self.batch()
        {
            self.export(&batch);
        }
    }

    /// Waits for spans; none when no more come.
    fn batch(&self) -> Option<Vec<Span>> {
        let mut batch = vec![self.spans.recv().ok()?];
        let end = Instant::now() + INTERVAL;
        while batch.len() < BATCH_SPANS {
            let left = end.saturating_duration_since(Instant::now());
            match self.spans.recv_timeout(left) {
                Ok(span) => batch.push(span),
                Err(_) => break,
            }
        }
        Some(batch)
    }

    /// Sends a batch once, and counts what became of it.
    fn export(&mut self, batch: &[Span]) {
        let spans = batch.len() as u64;
        let rejected = match self.send(batch) {
            Ok(rejected) => {
                self.outage.over();
                rejected.min(spans)
            }
            Err(cause) => {
                self.outage.failed(&cause);
                spans
            }
        };
        self.counters.exported.inc_by(spans - rejected);
        self.counters.dropped.inc_by(rejected);
    }

    /// Sends a batch; how many of it the collector refused.
    fn send(&self, batch: &[Span]) -> Result<u64, String> {
        let body = json::request(&self.resource, batch).to_string();
        let request = self.agent.post(&self.url).content_type("application/json");
        let mut answer = request.send(body).map_err(|error| error.to_string())?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("HTTP {status}"));
        }
        let said = answer.body_mut().read_to_vec();
        let said = said.map_err(|error| error.to_string())?;
        Ok(json::rejected(&said).unwrap_or(0))
    }
}

/// A client that does what the configuration says, whatever the environment may.
fn agent(url: &str) -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(LIMIT))
        .user_agent(concat!("webmon/", env!("CARGO_PKG_VERSION")));
    if !url.starts_with("https:") {
        return config.build().into();
    }
    // The authorities that this machine trusts, as collectors are often one's own.
    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted: Vec<_> = trusted
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&trusted));
    config.tls_config(tls.build()).build().into()
}
