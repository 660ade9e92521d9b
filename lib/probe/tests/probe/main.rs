//! The probe against servers that misbehave.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what helps a test may fail it by panicking"
)]

mod answers;
mod authority;
mod case;
mod certificates;
mod charsets;
mod chunked;
mod codings;
mod cookies;
mod dns;
mod dns_server;
mod doubt;
mod drips;
mod early;
mod endless;
mod expectations;
mod framing;
mod gzip;
mod handshakes;
mod heads;
mod hostile;
mod interim;
mod login;
mod nonsense;
mod odd_certificates;
mod origins;
mod patterns;
mod proxies;
mod proxy_refusals;
mod proxy_server;
mod redirects;
mod requests;
mod secrets;
mod serving_authorities;
mod strangers;
mod tables;
mod timings;
mod tinyproxy;
mod tls;
mod tls_redirects;
mod tls_server;

use std::sync::LazyLock;

use contract::check::{CheckKey, SiteId};
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::result::CheckResult;
use contract::task::Task;
use probe::{Addresses, ProbeOptions, Prober};
use tokio::runtime::{Handle, Runtime};

/// When the checks of these tests start.
const STARTED: UnixUs = UnixUs(5);

/// The checks' time, in milliseconds.
const TIMEOUT_MS: u32 = 400;
/// How much later than that a timeout may be, in milliseconds.
const TOLERANCE_MS: u64 = 150;
/// What the prober reads of a body.
const BODY_LIMIT: u64 = 64 * 1024;
/// The phases of a check that received something.
const ALL: &str = "dns connect wait receive";
/// The phases of a check that received nothing.
const WAITED: &str = "dns connect wait";

/// Where names are looked up.
fn runtime() -> &'static Handle {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    RUNTIME.handle()
}

/// A configuration that admits loopback.
fn config() -> ProbeOptions {
    let allow = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    ProbeOptions {
        addresses: Addresses {
            allow: allow.to_vec(),
            deny: vec![],
        },
        body_limit: BODY_LIMIT,
        ..ProbeOptions::default()
    }
}

/// A prober that may dial loopback.
fn prober() -> Prober {
    Prober::new(&config(), runtime()).unwrap()
}

fn task(url: &str, request: &str, expect: &str) -> Task {
    let raw = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    Task {
        v: 1,
        installation: Installation::default(),
        site_id: SiteId(7),
        name: "site".to_owned(),
        scheduled_at: UnixMs(1_000),
        expires_at: UnixMs(61_000),
        url: url.to_owned(),
        timeout_ms: TIMEOUT_MS,
        request: raw(request),
        expect: raw(expect),
    }
}

fn check(url: &str, request: &str, expect: &str) -> CheckResult {
    let result = prober().check(&task(url, request, expect), STARTED);
    assert_eq!(result.check, CheckKey::new(SiteId(7), UnixMs(1_000)));
    assert_eq!(result.measured.started_at_us, Some(STARTED));
    result
}

/// The phases that were measured, in order.
fn phases(result: &CheckResult) -> String {
    let p = result.measured.phases;
    let named = [
        ("dns", p.dns_us),
        ("connect", p.connect_us),
        ("tls", p.tls_us),
        ("wait", p.wait_us),
        ("receive", p.receive_us),
    ];
    let seen = named.iter().filter(|(_, us)| us.is_some());
    seen.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn detail(result: &CheckResult) -> &str {
    result.detail.as_deref().unwrap_or_default()
}
