//! IPv6 addresses in brackets, wherever a configuration has addresses. (The database's are in `postgres-address`, Kafka's in
//! `stream`.)

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use contract::check::CheckKey;
use contract::check::SiteId;
use contract::instant::UnixMs;
use contract::instant::UnixUs;
use contract::trace::Share;
use runtime::config::{HttpConfig, TracesConfig};
use runtime::telemetry::traces::{Span, Traces};
use runtime::telemetry::{Endpoints, bind, healthcheck, serve};
use testbed::{Collector, eventually};
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_of_traces_may_have_one() {
    let collector = Collector::start_on(IpAddr::V6(Ipv6Addr::LOCALHOST));
    let config = TracesConfig {
        url: format!("{}/v1/traces", collector.endpoint()),
        share: Share::new(1.0).unwrap(),
    };
    assert!(config.url.starts_with("http://[::1]:"), "{}", config.url);
    let endpoints = Endpoints::new();
    let (traces, exporter) = Traces::start(Some(&config), "webmon-test", &endpoints).unwrap();
    let traces = traces.unwrap();
    let trace = traces.of(CheckKey::new(SiteId(1), UnixMs(1))).unwrap();
    traces.add(Span::root(trace, "check", (UnixUs(1), UnixUs(2))));
    eventually(PATIENCE, "a span", async || {
        (!collector.spans().is_empty()).then_some(())
    })
    .await;
    drop((traces, exporter));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_may_have_any() {
    let all = HttpConfig {
        listen: "[::]:0".parse().unwrap(),
    };
    let listener = bind(&all).await.unwrap();
    let listen = listener.local_addr().unwrap();
    let endpoints = Endpoints::new();
    endpoints.readiness().condition("test").set(true);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, endpoints, stop.clone()));
    healthcheck(listen).await.unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
}
