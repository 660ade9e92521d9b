//! What a site may answer: whatever it sends, the check ends within its time, with a verdict about the
//! site.
//!
//! The input is three digits, and then the answers: one for each connection, with `NEXT` between them;
//! the last one is also for those that come later. `HOST` in an answer becomes the server's own address.
//! The digits choose:
//!
//! 1. what is expected, by its place in [`EXPECTATIONS`];
//! 2. what is asked, by its place in [`REQUESTS`];
//! 3. how the server [behaves](Manner).

#![no_main]

#[path = "response/server.rs"]
mod server;

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::outcome::{Outcome, Reason};
use contract::task::Task;
use libfuzzer_sys::{Corpus, fuzz_target};
use probe::{Addresses, Dns, ProbeOptions, Prober, Watched};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use self::server::{Manner, Server};

/// What is expected of an answer.
const EXPECTATIONS: &[&str] = &[
    "{}",
    r#"{"status": [200, "301-303", "4xx", 599]}"#,
    r#"{"headers": {"Server": {"present": true}, "X-A": {"present": false}}}"#,
    r#"{"headers": {"Content-Type": {"equals": "text/html"}, "Server": {"matches": "^[a-z]+/\\d"}}}"#,
    r#"{"body": [{"contains": "ok"}, {"not_contains": "error"}]}"#,
    r#"{"body": [{"matches": "(?s)<h1>.*</h1>$"}, {"not_matches": "\\bfail(ed)?\\b"}]}"#,
    r#"{"status": ["100-999"], "max_size": 16, "max_time": "1ms"}"#,
    r#"{"json": [{"path": "$.a", "equals": "ok"}, {"path": "$.a[*].b", "less": 1.5}]}"#,
    r#"{"json": [{"path": "$['a'][0]", "matches": "^x"}, {"path": "$[*]", "exists": false}]}"#,
    r#"{"json": [{"path": "$", "greater": 18446744073709551615}], "max_size": 1000}"#,
];
/// What is asked.
const REQUESTS: &[&str] = &[
    "{}",
    r#"{"method": "HEAD"}"#,
    r#"{"method": "POST", "body": "the end", "headers": {"X-A": "b"}, "bearer": "token"}"#,
    r#"{"method": "OPTIONS", "redirects": 0}"#,
];
/// The time for a check, in milliseconds. The server never waits, so that none should need a hundredth.
const TIMEOUT_MS: u32 = 3_000;
/// How much longer a check may take on a busy machine.
const SLACK: Duration = Duration::from_secs(2);
/// What the prober reads of a body: little, so that few bytes are too many.
const BODY_LIMIT: u64 = 1_024;
/// How many redirects are followed where a request does not say.
const REDIRECTS: usize = 10;
/// The longest detail, in characters, and the mark of what was left out.
const DETAIL_CHARS: usize = 300 + 1;

/// All that is used again and again.
struct Bed {
    /// Answers the checks.
    server: Server,
    /// Makes them.
    prober: Prober,
    /// Where the prober would look names up.
    _runtime: Runtime,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let server = Server::start();
    let runtime = Runtime::new().expect("a runtime");
    let prober = Prober::new(&config(server.address()), runtime.handle());
    Bed {
        server,
        prober: prober.expect("certificate authorities"),
        _runtime: runtime,
    }
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let [expect, request, manner, answers @ ..] = input else {
        return Corpus::Reject;
    };
    let Bed { server, prober, .. } = &*BED;
    if !server.prepare(answers, Manner::of(*manner)) {
        return Corpus::Reject;
    }
    let began = Instant::now();
    let watched = prober.watch(&task(server.address(), *request, *expect), UnixUs(0));
    let took = began.elapsed();
    assert!(
        took < Duration::from_millis(TIMEOUT_MS.into()) + SLACK,
        "{took:?} {watched:?}"
    );
    assert_honest(&watched);
    assert_bounded(&watched, took);
    assert_at_home(&watched, server.address());
    Corpus::Keep
});

/// A prober's configuration that admits no address but the server's.
fn config(server: SocketAddr) -> ProbeOptions {
    let allow = [server.ip().into()];
    // all of IPv4 but 127.0.0.0/8
    let deny = (1..=8).map(|bits| format!("{}.0.0.0/{bits}", 127_u8 ^ (1 << (8 - bits))));
    let deny = deny.chain(["::/0".to_owned()]);
    ProbeOptions {
        addresses: Addresses {
            allow: allow.to_vec(),
            deny: deny.map(|net| net.parse().expect(&net)).collect(),
        },
        body_limit: BODY_LIMIT,
        // nothing listens there
        dns: Dns {
            servers: vec![server.into()],
            ..Dns::default()
        },
        ..ProbeOptions::default()
    }
}

/// A check of the server.
fn task(server: SocketAddr, request: u8, expect: u8) -> Task {
    let pick = |choices: &[&str], digit: u8| {
        let choice = choices[usize::from(digit.wrapping_sub(b'0')) % choices.len()];
        RawValue::from_string(choice.to_owned()).expect(choice)
    };
    Task {
        v: 1,
        installation: Installation::default(),
        site_id: SiteId(7),
        name: "site".to_owned(),
        scheduled_at: UnixMs(0),
        expires_at: UnixMs(60_000),
        url: format!("http://{server}/a/b?c"),
        timeout_ms: TIMEOUT_MS,
        request: pick(REQUESTS, request),
        expect: pick(EXPECTATIONS, expect),
    }
}

/// Fails unless the verdict is one that an answer alone can bring about.
fn assert_honest(watched: &Watched) {
    let result = &watched.result;
    assert_eq!(
        result.reason.is_none(),
        result.detail.is_none(),
        "{watched:?}"
    );
    let outcome = result.reason.map_or(Outcome::Up, Reason::outcome);
    let timeout = [
        Reason::ResponseTimeout,
        Reason::BodyTimeout,
        Reason::TlsTimeout,
    ];
    let honest = matches!(outcome, Outcome::Up | Outcome::Degraded | Outcome::Down);
    assert!(
        honest
            && !result
                .reason
                .is_some_and(|reason| timeout.contains(&reason)),
        "{watched:?}"
    );
}

/// Fails unless what is recorded stays within its bounds.
fn assert_bounded(watched: &Watched, took: Duration) {
    let detail = watched.result.detail.as_deref().unwrap_or_default();
    let measured = &watched.result.measured;
    let total = measured.phases.total_us.map(Duration::from_micros);
    assert!(detail.chars().count() <= DETAIL_CHARS, "{watched:?}");
    assert!(!detail.contains(char::is_control), "{watched:?}");
    assert!(
        measured.body_bytes.is_none_or(|bytes| bytes <= BODY_LIMIT),
        "{watched:?}"
    );
    assert!(
        measured
            .status
            .is_none_or(|status| (100..1_000).contains(&status)),
        "{watched:?}"
    );
    assert!(total.is_some_and(|total| total <= took), "{watched:?}");
    assert!(
        (1..=REDIRECTS + 1).contains(&watched.hops.len()),
        "{watched:?}"
    );
}

/// Fails if a redirect led to another server.
fn assert_at_home(watched: &Watched, server: SocketAddr) {
    let home = ["http", "https"].map(|scheme| format!("{scheme}://{server}/"));
    let at_home = |url: &str| home.iter().any(|home| url.starts_with(home));
    assert!(
        watched.hops.iter().all(|hop| at_home(&hop.url)),
        "{watched:?}"
    );
}
