//! Which spans a check has, with which times.

use contract::{
    check::{CheckKey, SiteId},
    instant::UnixMs,
    result::Measured,
};

use super::*;

/// The check.
const CHECK: CheckKey = CheckKey::new(SiteId(7), UnixMs(1_795_449_600_123));

/// An instant so long after it was due, or before, in microseconds.
fn after_due(us: i64) -> UnixUs {
    UnixUs(CHECK.scheduled_at.to_us().0 + us)
}

/// The spans of a result that was read 2 s before it was due, ended 300 ms after, and is durable 400 ms after.
fn spans_of(result: &CheckResult) -> Vec<Span> {
    let times = Times {
        read_at: after_due(-2_000_000),
        ended_at: after_due(300_000),
    };
    spans(Trace::of(CHECK), result, times, after_due(400_000))
}

/// A span of it, with times in microseconds after the due instant.
fn span(parent: u64, name: &'static str, (start, end): (i64, i64)) -> Span {
    let trace = Trace::of(CHECK);
    Span::below(parent, trace, name, (after_due(start), after_due(end)))
}

#[test]
fn a_check_that_fails_has_the_phases_up_to_the_one_that_failed() {
    let measured = Measured {
        started_at_us: Some(after_due(500)),
        phases: Phases {
            dns_us: Some(0),
            connect_us: Some(1_000),
            tls_us: Some(200_000),
            ..Phases::default()
        },
        address: Some([192, 0, 2, 1].into()),
        ..Measured::default()
    };
    let result = CheckResult {
        measured,
        ..CheckResult::unmeasured(CHECK, Reason::TlsTimeout).with_detail("s3cret")
    };
    let trace = Trace::of(CHECK);
    let probe = span(trace.root, "probe", (500, 300_000));
    let expected = [
        span(trace.root, "hold", (-2_000_000, 500)),
        span(trace.root, "record", (300_000, 400_000)),
        span(probe.id, "dns", (500, 500)),
        span(probe.id, "connect", (500, 1_500)),
        span(probe.id, "tls", (1_500, 201_500)),
        probe
            .kind(Kind::Client)
            .with("network.peer.address", "192.0.2.1")
            .failed("tls_timeout"),
        Span::root(trace, "check", (after_due(0), after_due(400_000)))
            .with("webmon.site.id", 7)
            .with("webmon.check.outcome", "down")
            .with("webmon.check.reason", "tls_timeout")
            .failed("tls_timeout"),
    ];
    assert_eq!(spans_of(&result), expected);
}

#[test]
fn a_check_that_was_not_made_was_held_until_it_was_given_up() {
    let trace = Trace::of(CHECK);
    let expected = [
        span(trace.root, "hold", (-2_000_000, 300_000)),
        span(trace.root, "record", (300_000, 400_000)),
        Span::root(trace, "check", (after_due(0), after_due(400_000)))
            .with("webmon.site.id", 7)
            .with("webmon.check.outcome", "missed")
            .with("webmon.check.reason", "backlog")
            .failed("backlog"),
    ];
    let result = CheckResult::unmeasured(CHECK, Reason::Backlog);
    assert_eq!(spans_of(&result), expected);
}

#[test]
fn a_site_that_is_degraded_has_not_failed() {
    let result = CheckResult::unmeasured(CHECK, Reason::Slow);
    let check = Span::root(
        Trace::of(CHECK),
        "check",
        (after_due(0), after_due(400_000)),
    )
    .with("webmon.site.id", 7)
    .with("webmon.check.outcome", "degraded")
    .with("webmon.check.reason", "slow");
    assert_eq!(spans_of(&result).pop(), Some(check));
}
