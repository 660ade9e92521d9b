//! Webmon's side: its lanes, which are handed one task after the other, and its probe.

use std::sync::Arc;
use std::time::Duration;

use checker::bench_support::Probing;
use color_eyre::eyre::{Result, WrapErr as _};
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::task::{Task, VERSION};
use probe::{Addresses, ProbeOptions, Prober};
use runtime::clock::Clock;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::Report;
use super::checks::{Checks, Count, TIMEOUT};

/// What the clock shows first, in milliseconds since the Unix epoch.
const NOW: i64 = 1_795_449_600_000;
/// How often results are taken: as often as a recorder does.
const TAKE_EVERY: Duration = Duration::from_millis(100);

/// So many checks wait at least: more than are made until others are added.
const WAITING: usize = 1_024;
/// How often tasks are added: intake brings as many at once as Kafka has.
const FEED_EVERY: Duration = Duration::from_millis(10);

/// Makes checks; see [`Checks`].
pub(super) async fn run(checks: Checks) -> Result<Report> {
    let clock = Clock::fixed(UnixMs(NOW));
    let probing = Arc::new(start(&checks, &clock)?);
    let count = Arc::new(Count::default());
    tokio::spawn(take(Arc::clone(&probing), Arc::clone(&count)));
    tokio::spawn(feed(checks.clone(), probing, clock));
    checks.measure(&count).await
}

/// Starts the lanes.
fn start(checks: &Checks, clock: &Clock) -> Result<Probing> {
    let config = ProbeOptions {
        addresses: Addresses {
            allow: vec!["127.0.0.0/8".parse().wrap_err("a network")?],
            deny: Vec::new(),
        },
        ..ProbeOptions::default()
    };
    let prober = Prober::with_roots(&config, &Handle::current(), checks.roots()?)?;
    Probing::start(checks.in_flight, &prober, clock)
}

/// Has one check after the other made by each slot, for ever: more are due than there are slots. The
/// first are spread.
async fn feed(checks: Checks, probing: Arc<Probing>, clock: Clock) {
    let nothing = RawValue::NULL.to_owned();
    let empty = RawValue::from_string("{}".to_owned()).unwrap_or(nothing);
    let began = clock.now_ms();
    let mut numbers = 0_usize..;
    loop {
        let lacking = checks
            .in_flight
            .max(WAITING)
            .saturating_sub(probing.waiting());
        probing.probe(numbers.by_ref().take(lacking).map(|n| {
            let delay = checks.delay(n.min(checks.in_flight)).as_millis();
            let due = began.plus_ms(i64::try_from(delay).unwrap_or(i64::MAX));
            Task {
                v: VERSION,
                installation: Installation::default(),
                site_id: SiteId(i64::try_from(n).unwrap_or(i64::MAX)),
                name: format!("site-{n}"),
                scheduled_at: due,
                expires_at: UnixMs::MAX,
                url: checks.url(n).to_owned(),
                timeout_ms: u32::try_from(TIMEOUT.as_millis()).unwrap_or(u32::MAX),
                request: empty.clone(),
                expect: empty.clone(),
            }
        }));
        tokio::time::sleep(FEED_EVERY).await;
    }
}

/// Takes and counts results for ever.
async fn take(probing: Arc<Probing>, count: Arc<Count>) {
    loop {
        for result in probing.take() {
            count.add(result.reason.is_none());
        }
        tokio::time::sleep(TAKE_EVERY).await;
    }
}
