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
    outcome::Outcome,
    result::{CheckResult, Phases},
    trace::Trace,
};
use runtime::{
    clock::Clock,
    config::TracesConfig,
    telemetry::{
        Probes,
        traces::{Exporter, Kind, Span, Traces},
    },
};

use crate::record::Finished;

/// Makes spans of results.
#[derive(Debug)]
pub(crate) struct Tracer {
    /// Where they go.
    traces: Traces,
    /// The one clock.
    clock: Clock,
}

/// When a check went through which stage, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// Its task was read from Kafka.
    pub(crate) read_us: i64,
    /// Its result was there.
    pub(crate) ended_us: i64,
}

/// A result that will be traced once it is durable.
#[derive(Debug)]
pub(crate) struct Traced {
    /// Its trace.
    trace: Trace,
    /// What became of it.
    result: CheckResult,
    /// When.
    times: Times,
}

impl Tracer {
    /// Starts to export, if the configuration says where to.
    pub(crate) fn start(
        config: Option<&TracesConfig>,
        probes: &Probes,
        clock: &Clock,
    ) -> Result<(Option<Self>, Exporter)> {
        let started = Traces::start(config, "webmon-checker", probes);
        let (traces, exporter) = started.wrap_err("start a thread that exports traces")?;
        let clock = clock.clone();
        Ok((traces.map(|traces| Self { traces, clock }), exporter))
    }

    /// Those of these results that are traced.
    pub(crate) fn pick(&self, finished: &[Finished]) -> Vec<Traced> {
        let traced = finished.iter().filter_map(|finished| {
            let result = &finished.result;
            let trace = self.traces.of(result.site_id, result.scheduled_at)?;
            Some(Traced {
                trace,
                result: result.clone(),
                times: finished.times,
            })
        });
        traced.collect()
    }

    /// These results have become durable.
    pub(crate) fn recorded(&self, traced: Vec<Traced>) {
        let now_us = self.clock.now_us();
        for span in traced.into_iter().flat_map(|traced| spans(traced, now_us)) {
            self.traces.add(span);
        }
    }
}

/// The spans of a check whose result became durable at `durable_us`.
fn spans(traced: Traced, durable_us: i64) -> Vec<Span> {
    let Traced {
        trace,
        result,
        times: Times { read_us, ended_us },
    } = traced;
    let started_us = result.measured.started_at_us;
    let due_us = result.scheduled_at.saturating_mul(1_000);
    let stage = |name, times| Span::below(trace.root, trace, name, times);
    let mut spans = vec![
        stage("hold", (read_us, started_us.unwrap_or(ended_us))),
        stage("record", (ended_us, durable_us)),
    ];
    if let Some(started_us) = started_us {
        let probe = probe(stage("probe", (started_us, ended_us)), &result);
        spans.extend(phases(trace, probe.id, started_us, &result.measured.phases));
        spans.push(probe);
    }
    let check = Span::root(trace, "check", (due_us, durable_us))
        .with("webmon.site.id", result.site_id)
        .with("webmon.check.outcome", result.outcome().as_str());
    spans.push(judged(check, &result));
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
    judged(span, result)
}

/// The phases of a probe, end to end; each is its sum over all redirects.
fn phases(trace: Trace, probe: u64, started_us: i64, phases: &Phases) -> Vec<Span> {
    let mut since_us = started_us;
    let phases = [
        ("dns", phases.dns_us),
        ("connect", phases.connect_us),
        ("tls", phases.tls_us),
        ("wait", phases.wait_us),
        ("receive", phases.receive_us),
    ];
    let spans = phases.into_iter().filter_map(|(name, took_us)| {
        let until_us = since_us.saturating_add_unsigned(took_us?);
        let times = (std::mem::replace(&mut since_us, until_us), until_us);
        Some(Span::below(probe, trace, name, times))
    });
    spans.collect()
}

/// A span with the verdict, failed if the site or webmon has failed.
fn judged(span: Span, result: &CheckResult) -> Span {
    let Some(reason) = result.reason else {
        return span;
    };
    let reason = reason.as_str();
    let span = span.with("error.type", reason);
    match result.outcome() {
        Outcome::Up | Outcome::Degraded => span,
        Outcome::Down | Outcome::Inconclusive | Outcome::Missed => span.failed(reason),
    }
}
