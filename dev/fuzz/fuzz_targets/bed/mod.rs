//! What the targets stand on that check a server: the server, a prober that may reach no other, and what is true of
//! every verdict.

pub(crate) mod server;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::outcome::{Outcome, Reason};
use contract::task::Task;
use probe::{Addresses, Dns, ProbeOptions, Prober, Watched};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use self::server::{Manner, Server};

/// The time for a check, in milliseconds. The server never waits, so that none should need a hundredth.
const TIMEOUT_MS: u32 = 3_000;
/// How much longer a check may take on a busy machine.
const SLACK: Duration = Duration::from_secs(2);
/// What the prober reads of a body: little, so that few bytes are too many.
const BODY_LIMIT: u64 = 1_024;
/// The longest detail, in characters, and the mark of what was left out.
const DETAIL_CHARS: usize = 300 + 1;
/// What stands for the server's own address in a site.
const HOST: &str = "HOST";

/// All that is used again and again.
pub(crate) struct Bed {
    /// Answers the checks.
    server: Server,
    /// Makes them.
    prober: Prober,
    /// Where the prober would look names up.
    _runtime: Runtime,
}

/// A site, in which `HOST` becomes the server's address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) url: &'static str,
    pub(crate) request: &'static str,
    pub(crate) expect: &'static str,
}

/// The choice that a digit stands for.
pub(crate) fn pick<T: Copy>(choices: &[T], digit: u8) -> T {
    choices[usize::from(digit.wrapping_sub(b'0')) % choices.len()]
}

impl Bed {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        let runtime = Runtime::new().expect("a runtime");
        let prober = Prober::new(&config(server.address()), runtime.handle());
        Self {
            server,
            prober: prober.expect("certificate authorities"),
            _runtime: runtime,
        }
    }

    /// Where the server is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Checks the site, whose connections get these answers. Fails unless the check ends in time, with a verdict
    /// that stays within its bounds. `None` where an answer leads to another server.
    pub(crate) fn check(&self, site: Site, answers: &[u8], manner: Manner) -> Option<Watched> {
        if !self.server.prepare(answers, manner) {
            return None;
        }
        let task = task(site, self.address());
        let began = Instant::now();
        let watched = self.prober.watch(&task, UnixUs(0));
        let took = began.elapsed();
        let limit = Duration::from_millis(TIMEOUT_MS.into()) + SLACK;
        assert!(took < limit, "{took:?} {watched:?}");
        assert_bounded(&watched, took);
        Some(watched)
    }
}

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

/// A check of the site.
fn task(site: Site, server: SocketAddr) -> Task {
    let with_host = |text: &str| text.replace(HOST, &server.to_string());
    let raw = |json: &str| RawValue::from_string(with_host(json)).expect(json);
    Task {
        v: 1,
        installation: Installation::default(),
        site_id: SiteId(7),
        name: "site".to_owned(),
        scheduled_at: UnixMs(0),
        expires_at: UnixMs(60_000),
        url: with_host(site.url),
        timeout_ms: TIMEOUT_MS,
        request: raw(site.request),
        expect: raw(site.expect),
    }
}

/// Fails unless the verdict is one that an answer alone can bring about, or one of `others`.
pub(crate) fn assert_honest(watched: &Watched, others: &[Reason]) {
    let result = &watched.result;
    let timeouts = [
        Reason::ResponseTimeout,
        Reason::BodyTimeout,
        Reason::TlsTimeout,
    ];
    let honest = result.reason.is_none_or(|reason| {
        let outcome = reason.outcome();
        others.contains(&reason)
            || matches!(outcome, Outcome::Degraded | Outcome::Down) && !timeouts.contains(&reason)
    });
    assert!(honest, "{watched:?}");
}

/// Fails unless what is recorded stays within its bounds.
fn assert_bounded(watched: &Watched, took: Duration) {
    let result = &watched.result;
    assert_eq!(
        result.reason.is_none(),
        result.detail.is_none(),
        "{watched:?}"
    );
    let detail = result.detail.as_deref().unwrap_or_default();
    assert!(detail.chars().count() <= DETAIL_CHARS, "{watched:?}");
    assert!(!detail.contains(char::is_control), "{watched:?}");
    let measured = &result.measured;
    let total = measured.phases.total_us.map(Duration::from_micros);
    let in_limit = measured.body_bytes.is_none_or(|bytes| bytes <= BODY_LIMIT);
    let is_status = |status: u16| (100..1_000).contains(&status);
    assert!(in_limit, "{watched:?}");
    assert!(measured.status.is_none_or(is_status), "{watched:?}");
    assert!(total.is_some_and(|total| total <= took), "{watched:?}");
}
