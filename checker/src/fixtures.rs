//! What the tests of the stages are made of.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::task::{Task, VERSION};
use probe::{Addresses, ProbeOptions, Prober};
use serde_json::value::RawValue;
use stream::subscription::Ledger;
use tokio::runtime::Runtime;

use crate::held::Held;

/// What the clock of a test shows first, in milliseconds since the Unix epoch.
pub(crate) const NOW: i64 = 1_795_449_600_000;
/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long a test looks for what must not come.
pub(crate) const GLIMPSE: Duration = Duration::from_millis(50);

/// A prober that may dial loopback.
pub(crate) fn prober() -> Prober {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    let config = ProbeOptions {
        addresses: Addresses {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            deny: Vec::new(),
        },
        ..ProbeOptions::default()
    };
    Prober::new(&config, RUNTIME.handle()).unwrap()
}

/// A task of a site at an instant, which expires a minute later.
pub(crate) fn task(site_id: i64, scheduled_at: i64) -> Task {
    Task {
        v: VERSION,
        installation: Installation::default(),
        site_id: SiteId(site_id),
        name: format!("site-{site_id}"),
        scheduled_at: UnixMs(scheduled_at),
        expires_at: UnixMs(scheduled_at).plus_ms(60_000),
        // The port of nothing: refused at once.
        url: "http://127.0.0.1:1/".to_owned(),
        timeout_ms: 10_000,
        request: RawValue::from_string("{}".to_owned()).unwrap(),
        expect: RawValue::from_string("{}".to_owned()).unwrap(),
    }
}

/// A task as it was read from partition 0.
pub(crate) fn held(ledger: &mut Ledger, task: Task) -> Held {
    let offset = task.site_id.0;
    Held {
        task,
        position: ledger.deliver(0, offset),
        read_at: UnixUs(NOW * 1_000),
    }
}

/// Waits until a condition holds that other threads bring about.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}
