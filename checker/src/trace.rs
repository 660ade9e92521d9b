//! The spans of a check, made when its result is durable: everything that they say is known then.
//!
//! ```text
//! check          ├───────────────────────────────────┤   due … durable
//! hold   ├───────┤                                        read … started, or given up
//! probe           ├──────────────────┤                    started … ended
//! dns, connect …  ├─┼──┼──┼─────┼───┤                     its phases
//! record                              ├──────────────┤   ended … durable
//! ```
//!
//! They hold no URL and nothing that the site answered; with the site's id and the due instant the row
//! of `check_result` tells the rest.

use color_eyre::eyre::{Result, WrapErr as _};
use contract::{
    instant::UnixUs,
    outcome::{Outcome, Reason},
    result::{CheckResult, Phases},
    trace::Trace,
};
use recorder::Times;
use runtime::{
    clock::Clock,
    config::TracesConfig,
    telemetry::{
        Endpoints,
        traces::{Exporter, Kind, Span, Traces},
    },
};

use crate::held::Finished;

/// Makes spans of results.
#[derive(Debug)]
pub(crate) struct Tracer {
    /// Where they go.
    traces: Traces,
    /// The one clock.
    clock: Clock,
}

impl Tracer {
    /// Starts to export, if the configuration says where to.
    pub(crate) fn start(
        config: Option<&TracesConfig>,
        endpoints: &Endpoints,
        clock: &Clock,
    ) -> Result<(Option<Self>, Exporter)> {
        let started = Traces::start(config, "webmon-checker", endpoints);
        let (traces, exporter) = started.wrap_err("start a thread that exports traces")?;
        let clock = clock.clone();
        Ok((traces.map(|traces| Self { traces, clock }), exporter))
    }

    /// These results have become durable.
    pub(crate) fn recorded(&self, finished: &[Finished]) {
        let durable_at = self.clock.now_us();
        for Finished { result, times, .. } in finished {
            if let Some(trace) = self.traces.of(result.check) {
                for span in spans(trace, result, *times, durable_at) {
                    self.traces.add(span);
                }
            }
        }
    }
}

/// The spans of a check whose result became durable at `durable_at`.
fn spans(trace: Trace, result: &CheckResult, times: Times, durable_at: UnixUs) -> Vec<Span> {
    let Times { read_at, ended_at } = times;
    let started_at = result.measured.started_at_us;
    let due = result.check.scheduled_at.to_us();
    let stage = |name, times| Span::below(trace.root, trace, name, times);
    let mut spans = vec![
        stage("hold", (read_at, started_at.unwrap_or(ended_at))),
        stage("record", (ended_at, durable_at)),
    ];
    if let Some(started_at) = started_at {
        let probe = probe(stage("probe", (started_at, ended_at)), result);
        spans.extend(phases(trace, probe.id, started_at, &result.measured.phases));
        spans.push(probe);
    }
    let check = Span::root(trace, "check", (due, durable_at))
        .with("webmon.site.id", result.check.site.0)
        .with("webmon.check.outcome", result.outcome().as_str())
        .with(
            "webmon.check.reason",
            result.reason.map_or("", Reason::as_str),
        );
    spans.push(with_failure(check, result));
    spans
}

/// What the probe saw.
fn probe(mut span: Span, result: &CheckResult) -> Span {
    span = span.kind(Kind::Client);
    if let Some(status) = result.measured.status {
        span = span.with("http.response.status_code", i64::from(status));
    }
    if let Some(address) = result.measured.address {
        span = span.with("network.peer.address", address.to_string());
    }
    with_failure(span, result)
}

/// The phases of a probe, end to end; each is its sum over all redirects.
fn phases(trace: Trace, probe: u64, started_at: UnixUs, phases: &Phases) -> Vec<Span> {
    let mut since = started_at;
    let phases = [
        ("dns", phases.dns_us),
        ("connect", phases.connect_us),
        ("tls", phases.tls_us),
        ("wait", phases.wait_us),
        ("receive", phases.receive_us),
    ];
    let spans = phases.into_iter().filter_map(|(name, took_us)| {
        let until = since.plus_us(took_us?);
        let times = (std::mem::replace(&mut since, until), until);
        Some(Span::below(probe, trace, name, times))
    });
    spans.collect()
}

/// The same span, failed if the site or webmon has failed.
fn with_failure(span: Span, result: &CheckResult) -> Span {
    match (result.outcome(), result.reason) {
        (Outcome::Up | Outcome::Degraded, _) | (_, None) => span,
        (_, Some(reason)) => span.failed(reason.as_str()),
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
