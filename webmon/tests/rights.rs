//! A Kafka with an authorizer: whatever right lacks, it is named, and once it is granted all goes on.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::time::Duration;

use contract::CHECKER_GROUP;
use tempfile::TempDir;
use testbed::acl::{AUTHORIZER, On, Operation, grant, revoke};
use testbed::{
    Cluster, ConfigFile, Crowd, Process, Server, Service, Settings, eventually, free_ports, get,
};

/// How long a service may take to tell.
const PATIENCE: Duration = Duration::from_mins(1);
/// A few sites.
const SITES: &[Crowd] = &[Crowd::new("site", "/ok", 500, 20)];

/// A cluster on a broker that lets services do what they were granted.
struct Guarded {
    /// The cluster.
    cluster: Cluster,
    /// Its broker.
    broker: Server,
    /// Where the broker has everything.
    _place: TempDir,
}

impl Guarded {
    /// No right yet, and no topic.
    async fn start() -> Self {
        let place = TempDir::new().unwrap();
        let mut broker = Server::kafka(place.path(), free_ports(3), &[]).with(AUTHORIZER);
        broker.start();
        broker.ready().await;
        let cluster = Cluster::on_broker("rights", &broker.address().to_string()).await;
        cluster.add(SITES).await;
        Self {
            cluster,
            broker,
            _place: place,
        }
    }

    /// The configuration file of a service, which comes with a certificate.
    fn file(&self, write: impl Fn(&Settings) -> ConfigFile) -> ConfigFile {
        let mut settings = self.cluster.settings.clone();
        let mut address = self.broker.address();
        address.set_port(address.port() + 1);
        settings.brokers = address.to_string();
        settings.ca = Some(self.broker.certificate("ca.pem"));
        let file = write(&settings);
        let mut yaml = std::fs::read_to_string(&file.path).unwrap();
        for name in ["service.cert", "service.key"] {
            let shared = testbed::certificate(name).display().to_string();
            let own = self.broker.certificate(name).display().to_string();
            yaml = yaml.replace(&shared, &own);
        }
        std::fs::write(&file.path, yaml).unwrap();
        file
    }

    /// A scheduler's file.
    fn scheduler(&self) -> ConfigFile {
        self.file(|settings| settings.scheduler(self.cluster.folder(), "scheduler"))
    }

    /// A checker's file.
    fn checker(&self) -> ConfigFile {
        self.file(|settings| settings.checker(self.cluster.folder(), "checker"))
    }

    /// The topic.
    fn topic(&self) -> On<'_> {
        On::Topic(self.cluster.topic.name())
    }

    /// Adds a site whose task cannot be made much smaller.
    async fn large_site(&self) {
        let noise = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 200) AS n";
        let url = self.cluster.website.url("/ok");
        self.cluster
            .execute(&format!(
                "INSERT INTO site (name, url, interval_ms, timeout_ms, request)
                 VALUES ('large', '{url}', 500, 100, jsonb_build_object('method', 'POST', 'body', ({noise})))"
            ))
            .await;
    }

    /// Grants a right.
    fn grant(&self, operation: Operation, on: On<'_>) {
        grant(self.broker.address(), operation, on);
    }

    /// Takes a right back.
    fn revoke(&self, operation: Operation, on: On<'_>) {
        revoke(self.broker.address(), operation, on);
    }
}

/// Waits until `/readyz` says this.
async fn says(file: &ConfigFile, words: &str) {
    eventually(PATIENCE, words, async || {
        let answer = get(file.listen, "/readyz").await?;
        answer.contains(words).then_some(())
    })
    .await;
}

/// Runs a service that is to fail at the start, and to say this.
async fn fails(program: &str, file: &ConfigFile, words: &[&str]) {
    let finished = Process::run(program, file.run(), PATIENCE).await;
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    for word in words {
        assert!(
            finished.stderr.contains(word),
            "{word}: {}",
            finished.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_that_lacks_is_named_and_needed() {
    let guarded = Guarded::start().await;
    let (scheduler, checker) = (guarded.scheduler(), guarded.checker());
    let (topic, name) = (guarded.topic(), guarded.cluster.topic.name());
    let group = On::Group(CHECKER_GROUP);

    let describe = format!("no right to DESCRIBE topic {name}; grant Describe");
    fails("scheduler", &scheduler, &[&describe]).await;
    fails("checker", &checker, &[&describe]).await;

    guarded.grant(Operation::Describe, topic);
    let create = format!("no right to CREATE topic {name}; grant Create");
    fails("scheduler", &scheduler, &[&create]).await;

    guarded.grant(Operation::Create, topic);
    let mut produces = Service::start("scheduler", "scheduler", scheduler.clone());
    let write = format!("kafka (no right to WRITE topic {name}: grant Write");
    says(&scheduler, &write).await;
    produces
        .process
        .line_seen("no right to WRITE topic", PATIENCE)
        .await;
    guarded.grant(Operation::Write, topic);
    produces.ready().await;
    produces
        .process
        .line_seen("all turns succeed again", PATIENCE)
        .await;

    let mut checks = Service::start("checker", "checker", checker.clone());
    let member = format!("kafka (no right to READ group {CHECKER_GROUP}: grant Read");
    says(&checker, &member).await;
    checks
        .process
        .line_seen("no right to READ group", PATIENCE)
        .await;
    guarded.grant(Operation::Read, group);
    says(
        &checker,
        &format!("kafka (no right to READ topic {name}: grant Read"),
    )
    .await;
    checks
        .process
        .line_seen("no right to READ topic", PATIENCE)
        .await;
    guarded.grant(Operation::Read, topic);
    checks.ready().await;
    let up = "SELECT count(DISTINCT site_id) FROM check_result WHERE outcome = 'up'";
    eventually(PATIENCE, "every site is up", async || {
        (guarded.cluster.number(up).await == 20).then_some(())
    })
    .await;

    learns_by_refusals(&guarded, &mut produces).await;

    // What is taken back is told as well.
    guarded.revoke(Operation::Write, topic);
    says(&scheduler, &write).await;
    guarded.grant(Operation::Write, topic);
    produces.ready().await;
    produces.stop().await;
    checks.stop().await;
}

/// A broker that does not tell what the topic takes (no right `DescribeConfigs`) teaches it by refusals.
async fn learns_by_refusals(guarded: &Guarded, produces: &mut Service) {
    guarded.large_site().await;
    let small = [("max.message.bytes", "2000")];
    guarded.cluster.topic.alter(&small).await;
    let refused =
        "SELECT count(*) FROM check_result JOIN site ON id = site_id WHERE reason = 'invalid_site'";
    let large = format!(
        "{refused} AND name = 'large' AND detail LIKE '% bytes are more than topic % takes (its max.message.bytes): %'"
    );
    eventually(PATIENCE, "only the large task is refused", async || {
        (guarded.cluster.number(&large).await >= 3).then_some(())
    })
    .await;
    let after = guarded.cluster.now().await + 2_000;
    guarded.cluster.scheduled_until(after).await;
    let (all, large) = (
        guarded.cluster.number(refused),
        guarded.cluster.number(&large),
    );
    assert_eq!(all.await, large.await);
    produces.ready().await;
}
