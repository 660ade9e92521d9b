//! What services do, and above all say, while what they need is away: they are not ready, they tell it
//! in a few lines, and when it is over everything is accounted for.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use testbed::{Cluster, ConfigFile, Mode, Process, Proxy, THREE_HUNDRED, eventually, get};

/// How long a service may take to be ready, or to notice that it is not.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the outage lasts from when it was noticed.
const OUTAGE_MS: i64 = 20_000;
/// How long there is load before the outage, and after it.
const AROUND_MS: i64 = 6_000;
/// The lines that a service may say of an outage: what fails and what answers again, for each of the
/// handful of things that a service does with a database or a broker.
const MOST_LINES: usize = 14;
/// And those about what was not scheduled meanwhile.
const MOST_GAPS: usize = 10;
/// The only broker of a mock.
const BROKER: i32 = 1;

/// A service under observation.
struct Service {
    /// What it is.
    program: &'static str,
    /// Its configuration.
    config: ConfigFile,
    /// The process.
    process: Process,
}

impl Service {
    /// The answer of `/readyz`, once it fits.
    async fn readyz(&mut self, what: &str, fits: impl Fn(&str) -> bool) {
        let what = format!("{} says {what}", self.program);
        eventually(PATIENCE, &what, async || {
            self.process.assert_running();
            let answer = get(self.config.listen, "/readyz").await?;
            fits(&answer).then_some(())
        })
        .await;
    }

    /// Waits until it is ready.
    async fn ready(&mut self) {
        let ready =
            |answer: &str| answer.starts_with("HTTP/1.1 200") && answer.ends_with("ready\n");
        self.readyz("that it is ready", ready).await;
    }

    /// Waits until it misses this.
    async fn misses(&mut self, condition: &str) {
        let missing = |answer: &str| {
            let (_, list) = answer.split_once("not ready: ").unwrap_or_default();
            let named = list.trim().split(", ").any(|name| name == condition);
            answer.starts_with("HTTP/1.1 503") && named
        };
        self.readyz(&format!("that it misses {condition}"), missing)
            .await;
    }

    /// How much it has said.
    fn lines(&self) -> usize {
        self.process.said().lines().count()
    }
}

/// A scheduler and a checker under load.
async fn services(cluster: &Cluster) -> [Service; 2] {
    cluster.add(THREE_HUNDRED).await;
    let service = |program, config: ConfigFile| Service {
        program,
        process: config.start(program, program),
        config,
    };
    let (settings, folder) = (&cluster.settings, cluster.folder());
    let mut services = [
        service("scheduler", settings.scheduler(folder, "scheduler")),
        service("checker", settings.checker(folder, "checker")),
    ];
    for service in &mut services {
        service.ready().await;
    }
    let start = cluster.now().await;
    cluster.scheduled_until(start + AROUND_MS).await;
    services
}

/// Waits until so much time has passed for the database.
async fn pass(cluster: &Cluster, millis: i64) {
    let end = cluster.now().await + millis;
    let deadline = PATIENCE + Duration::from_millis(millis.unsigned_abs());
    eventually(deadline, "time passes", async || {
        (cluster.now().await > end).then_some(())
    })
    .await;
}

/// Takes something away for a while. Meanwhile all `conditions` are missed; then all are ready again,
/// have said little, and every check is accounted for.
async fn outage(
    cluster: &Cluster,
    services: &mut [Service; 2],
    missed: [&[&str]; 2],
    switch: impl Fn(bool),
) {
    let before = [services[0].lines(), services[1].lines()];
    switch(false);
    for (service, conditions) in services.iter_mut().zip(missed) {
        for condition in conditions {
            service.misses(condition).await;
        }
    }
    pass(cluster, OUTAGE_MS).await;
    switch(true);
    for service in &mut *services {
        service.ready().await;
    }
    let end = cluster.now().await + AROUND_MS;
    let report = cluster.audit(end).await;
    report.show();
    report.assert_clean();
    for (service, before) in services.iter().zip(before) {
        let said = service.process.said();
        let of_gaps = |line: &&str| line.contains("recorded as gaps");
        let (gaps, lines): (Vec<_>, Vec<_>) = said.lines().skip(before).partition(of_gaps);
        assert!(
            lines.len() <= MOST_LINES && gaps.len() <= MOST_GAPS,
            "{} said {} lines, {} of gaps:\n{}",
            service.program,
            lines.len(),
            gaps.len(),
            lines.join("\n")
        );
        assert!(!lines.is_empty(), "{} said nothing", service.program);
    }
}

/// A cluster whose services reach the database by a link that may fail.
async fn with_a_link(purpose: &str) -> (Cluster, Proxy) {
    let mut cluster = Cluster::start(purpose).await;
    let url = &cluster.settings.database_url;
    let (_, place) = url.split_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    let proxy = Proxy::start(server.parse().unwrap()).await;
    cluster.settings.database_url = url.replacen(server, &proxy.address().to_string(), 1);
    (cluster, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_sends_everybody_away_is_told_in_a_few_lines() {
    let (cluster, proxy) = with_a_link("shut").await;
    let mut services = services(&cluster).await;
    outage(&cluster, &mut services, [&["database"]; 2], |there| {
        proxy.set(if there { Mode::Pass } else { Mode::Cut });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_is_told_in_a_few_lines() {
    let (cluster, proxy) = with_a_link("silent").await;
    let mut services = services(&cluster).await;
    outage(&cluster, &mut services, [&["database"]; 2], |there| {
        // Connections that met the silence are never heard of again.
        proxy.set(if there { Mode::Forget } else { Mode::Swallow });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_in_a_few_lines() {
    let mut cluster = Cluster::start("broker").await;
    // Inside this process, so that nobody else loses theirs.
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic(cluster.topic.name(), 8, 1).unwrap();
    cluster.settings.brokers = mock.bootstrap_servers();
    let mut services = services(&cluster).await;
    let missed: [&[&str]; 2] = [&["kafka"], &["kafka", "kafka group"]];
    outage(&cluster, &mut services, missed, |there| {
        let done = if there {
            mock.broker_up(BROKER)
        } else {
            mock.broker_down(BROKER)
        };
        done.unwrap();
    })
    .await;
}
