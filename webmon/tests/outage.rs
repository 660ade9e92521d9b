//! What services do, and above all say, while what they need is away or slow: they are not ready, tell it
//! in a few lines and lose no result, and when it is over everything is accounted for.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use testbed::audit::Report;
use testbed::{Cluster, Crowd, Mode, Proxy, Service, Settings, THREE_HUNDRED, eventually, show};

/// How much longer than it should something may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a database is away, or slow.
const MINUTE_MS: i64 = 60_000;
/// How long a broker is away, from when it was noticed.
const BROKER_MS: i64 = 20_000;
/// How long there is load before an outage, and after it.
const AROUND_MS: i64 = 6_000;
/// The lines that a service may say of an outage: what fails and what answers again, for each of the
/// handful of things that a service does with a database or a broker.
const MOST_LINES: usize = 14;
/// And those about what was not scheduled meanwhile.
const MOST_GAPS: usize = 10;
/// The only broker of a mock.
const BROKER: i32 = 1;
/// A hundred checks a second.
const ONE_HUNDRED: &[Crowd] = &[Crowd::new("second", "/ok", 1_000, 100)];
/// Within a minute more checks than a checker keeps results of, which are 20,000.
const FIVE_HUNDRED: &[Crowd] = &[Crowd::new("half-second", "/ok", 500, 250)];
/// What a checker says when it keeps no more.
const PAUSED: &str = "paused reading tasks";
/// The most that it may have in memory by then, beside what it has at rest.
const MOST_MIB: u64 = 64;

/// A cluster with a broker inside this process: no other test loses its broker, and several run side by side.
struct Apart {
    /// The cluster.
    cluster: Cluster,
    /// Its broker.
    broker: MockCluster<'static, DefaultProducerContext>,
}

impl Apart {
    /// A cluster with these sites.
    async fn start(purpose: &str, sites: &[Crowd]) -> Self {
        let broker = MockCluster::new(1).unwrap();
        let cluster = Cluster::on_broker(purpose, &broker.bootstrap_servers()).await;
        broker.create_topic(cluster.topic.name(), 8, 1).unwrap();
        cluster.add(sites).await;
        Self { cluster, broker }
    }

    /// A link to the database that may fail, and the settings of those who use it.
    async fn link(&self) -> (Proxy, Settings) {
        let mut settings = self.cluster.settings.clone();
        let url = &settings.database_url;
        let (_, place) = url.split_once('@').unwrap();
        let (server, _) = place.split_once('/').unwrap();
        let proxy = Proxy::start(server.parse().unwrap()).await;
        settings.database_url = url.replacen(server, &proxy.address().to_string(), 1);
        (proxy, settings)
    }

    /// A scheduler and a checker with these settings, which have worked for a while, and how many lines they
    /// have said.
    async fn services(&self, settings: [&Settings; 2]) -> ([Service; 2], [usize; 2]) {
        let services = self.cluster.services(settings).await;
        self.pass(AROUND_MS).await;
        let lines = [services[0].lines(), services[1].lines()];
        (services, lines)
    }

    /// Waits until so much time has passed for the database.
    async fn pass(&self, millis: i64) {
        let end = self.cluster.now().await + millis;
        let deadline = PATIENCE + Duration::from_millis(millis.unsigned_abs());
        eventually(deadline, "time passes", async || {
            (self.cluster.now().await > end).then_some(())
        })
        .await;
    }

    /// Waits until services are ready again. From then on all is well; every check is accounted for, no
    /// result is lost, and beside the lines that were said before there are few.
    async fn over(&self, (mut services, before): ([Service; 2], [usize; 2])) -> Report {
        for service in &mut services {
            service.ready().await;
        }
        let end = self.cluster.now().await + AROUND_MS;
        let report = self.cluster.audit(end).await;
        show(format_args!("{}: {report}", self.cluster.topic.name()));
        report.assert_clean();
        assert_eq!(report.rows("missed/lost"), 0, "{report}");
        for (service, before) in services.iter().zip(before) {
            assert_few_lines(service, before);
        }
        self.cluster.stop_and_count(services).await;
        report
    }
}

/// Fails if a service has said much beside so many lines.
fn assert_few_lines(service: &Service, before: usize) {
    let said = service.process.said();
    let of_gaps = |line: &&str| line.contains("recorded as gaps");
    let (gaps, lines): (Vec<_>, Vec<_>) = said.lines().skip(before).partition(of_gaps);
    assert!(
        lines.len() <= MOST_LINES && gaps.len() <= MOST_GAPS,
        "{} said {} lines, {} of gaps:\n{}",
        service.process.name(),
        lines.len(),
        gaps.len(),
        lines.join("\n")
    );
}

/// No service reaches the database.
async fn away(purpose: &str, during: Mode, after: Mode) {
    let apart = Apart::start(purpose, ONE_HUNDRED).await;
    let (link, settings) = apart.link().await;
    let (mut services, before) = apart.services([&settings; 2]).await;
    link.set(during);
    for service in &mut services {
        service.misses("database").await;
    }
    apart.pass(MINUTE_MS).await;
    link.set(after);
    apart.over((services, before)).await;
}

/// Every answer of the database takes a while, so that a turn takes longer than the time until the next: what is
/// scheduled is late at times, but scheduled.
async fn slow(purpose: &str, delay: Duration) {
    let apart = Apart::start(purpose, ONE_HUNDRED).await;
    let (link, settings) = apart.link().await;
    let under_load = apart.services([&settings; 2]).await;
    link.set(Mode::Delay(delay));
    apart.pass(MINUTE_MS).await;
    link.set(Mode::Pass);
    let report = apart.over(under_load).await;
    assert!(report.in_gaps * 10 < report.due, "{report}");
    assert!(report.rows("up") * 2 > report.due, "{report}");
}

/// The checker records hardly anything, while the scheduler goes on. One that records nothing checks until it
/// keeps as many results as it may.
async fn unrecorded(purpose: &str, during: Mode, after: Mode) {
    let apart = Apart::start(purpose, FIVE_HUNDRED).await;
    let (link, through) = apart.link().await;
    let (mut services, before) = apart.services([&apart.cluster.settings, &through]).await;
    let [_, checker] = &mut services;
    let at_rest = checker.process.peak_mib();
    link.set(during);
    checker.misses("database").await;
    apart.pass(MINUTE_MS).await;
    let grown = checker.process.peak_mib() - at_rest;
    let paused = checker.process.said().contains(PAUSED);
    assert!(paused || during != Mode::Swallow, "not {PAUSED}");
    link.set(after);
    apart.over((services, before)).await;
    assert!(grown < MOST_MIB, "grown by {grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_or_slow_for_a_minute_costs_no_result() {
    // Connections that met the silence are never heard of again.
    let (silent, forgotten) = (Mode::Swallow, Mode::Forget);
    let crawling = Mode::Delay(Duration::from_secs(2));
    tokio::join!(
        away("shut", Mode::Cut, Mode::Pass),
        away("silent", silent, forgotten),
        slow("slow", Duration::from_millis(100)),
        unrecorded("stuck", silent, forgotten),
        unrecorded("crawling", crawling, Mode::Pass),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_in_a_few_lines() {
    let apart = Apart::start("broker", THREE_HUNDRED).await;
    let (mut services, before) = apart.services([&apart.cluster.settings; 2]).await;
    apart.broker.broker_down(BROKER).unwrap();
    let [scheduler, checker] = &mut services;
    scheduler.misses("kafka").await;
    checker.misses("kafka").await;
    checker.misses("kafka group").await;
    apart.pass(BROKER_MS).await;
    apart.broker.broker_up(BROKER).unwrap();
    apart.over((services, before)).await;
}
