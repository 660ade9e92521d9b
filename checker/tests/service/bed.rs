//! What each of these tests stands on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checker::config::Config;
use color_eyre::eyre;
use contract::CHECKER_GROUP;
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::task::{Task, VERSION};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use runtime::broker::Broker;
use runtime::conditions::KAFKA_GROUP;
use runtime::config::{Configuration as _, Secret};
use runtime::service::Service;
use runtime::telemetry::{Condition, Endpoints};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::value::RawValue;
use stream::config::KafkaConfig;
use tempfile::TempDir;
use testbed::{Calm, Database, Settings, Topic, Website, eventually, tables};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Partitions of each test's topic.
pub(crate) const PARTITIONS: i32 = 8;

/// A database, a topic and a website of the test's own.
pub(crate) struct Bed {
    /// What is watched.
    pub(crate) website: Website,
    /// A pool on the database.
    pub(crate) connection: DatabaseConnection,
    /// Whose tasks these are.
    pub(crate) installation: Installation,
    /// `kafka.key` of the checkers.
    pub(crate) key: Option<Secret>,
    /// `kafka.previous_key` of the checkers.
    pub(crate) previous_key: Option<Secret>,
    /// Where the tasks are.
    topic: Topic,
    /// Where the rows go.
    database: Database,
    /// No other checkers meanwhile.
    _calm: Calm,
}

/// A checker that runs in the test's own process.
pub(crate) struct Checker {
    /// Asks it to stop.
    stop: CancellationToken,
    /// What it shows.
    endpoints: Arc<Endpoints>,
    /// Its end.
    running: JoinHandle<eyre::Result<()>>,
}

impl Bed {
    /// No tasks, no rows, no checker.
    pub(crate) async fn new(purpose: &str) -> Self {
        let calm = Calm::hold().await;
        let database = Database::migrated().await;
        let connection = database.connect().await;
        let bed = Self {
            website: Website::start(),
            installation: tables::installation(&connection).await.parse().unwrap(),
            connection,
            key: None,
            previous_key: None,
            topic: Topic::unique(purpose),
            database,
            _calm: calm,
        };
        stream::ensure_topic(&bed.kafka()).await.unwrap();
        bed
    }

    /// Where the tasks are.
    pub(crate) fn kafka(&self) -> KafkaConfig {
        let mut kafka = KafkaConfig::plain(vec![testbed::brokers()]);
        self.topic.name().clone_into(&mut kafka.topic);
        kafka.partitions = PARTITIONS;
        kafka.key.clone_from(&self.key);
        kafka.previous_key.clone_from(&self.previous_key);
        kafka
    }

    /// Starts a checker with 64 slots and waits until it has joined the group.
    pub(crate) async fn checker(&self) -> Checker {
        let folder = TempDir::new().unwrap();
        let settings = Settings::plain(self.database.url(), self.topic.name()).with_few_slots();
        let file = settings.checker(folder.path(), "checker").path;
        let config = Config {
            kafka: self.kafka(),
            ..Config::load(&file).unwrap()
        };
        let service = Service {
            stop: CancellationToken::new(),
            endpoints: Endpoints::new(),
            broker: Broker::Cluster,
            feed: None,
            reloads: None,
        };
        // Before the start, or there would be nothing yet to wait for.
        let joined = service.endpoints.readiness().condition(KAFKA_GROUP);
        let mut checker = Checker {
            stop: service.stop.clone(),
            endpoints: Arc::clone(&service.endpoints),
            running: tokio::spawn(checker::run(config, service)),
        };
        checker.joins(&joined).await;
        checker
    }

    /// The database's time, in milliseconds since the Unix epoch.
    pub(crate) async fn now(&self) -> i64 {
        tables::now(&self.connection).await
    }

    /// A task for a path of the website, which expires a minute after its instant.
    pub(crate) fn task(&self, site_id: i64, scheduled_at: i64, path: &str) -> Task {
        Task {
            v: VERSION,
            installation: self.installation,
            site_id: SiteId(site_id),
            name: format!("site-{site_id}"),
            scheduled_at: UnixMs(scheduled_at),
            expires_at: UnixMs(scheduled_at + 60_000),
            url: self.website.url(path),
            timeout_ms: 10_000,
            request: RawValue::from_string("{}".to_owned()).unwrap(),
            expect: RawValue::from_string("{}".to_owned()).unwrap(),
        }
    }

    /// Puts tasks on the topic, keyed by site.
    pub(crate) fn send<'a>(&self, tasks: impl IntoIterator<Item = &'a Task>) {
        let encode = |task: &Task| {
            let mut bytes = Vec::new();
            task.encode(&mut bytes).unwrap();
            (task.site_id.to_string(), bytes)
        };
        let messages: Vec<_> = tasks.into_iter().map(encode).collect();
        self.produce(
            messages
                .iter()
                .map(|(key, bytes)| (key.as_str(), bytes.as_slice())),
        );
    }

    /// Puts messages on the topic, whatever they say.
    pub(crate) fn produce<'a>(&self, messages: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        self.topic.produce(messages);
    }

    /// A number from the database.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        tables::number(&self.connection, sql).await
    }

    /// Runs a statement.
    pub(crate) async fn execute(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap();
    }

    /// How many rows there are.
    pub(crate) async fn count(&self) -> i64 {
        self.number("SELECT count(*) FROM check_result").await
    }

    /// Waits until there are so many rows.
    pub(crate) async fn rows(&self, count: i64, deadline: Duration) {
        let what = format!("{count} rows are recorded");
        eventually(deadline, &what, async || {
            (self.count().await >= count).then_some(())
        })
        .await;
        assert_eq!(self.count().await, count);
    }

    /// How many rows have this outcome and reason (`up`, `missed/late`).
    pub(crate) async fn verdicts(&self, verdict: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM check_result WHERE concat_ws('/', outcome, reason) = '{verdict}'"
        ))
        .await
    }

    /// A consumer of the checkers' group that is no member of it.
    pub(crate) fn observer() -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", testbed::brokers())
            .set("group.id", CHECKER_GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap()
    }

    /// The committed offset of each partition; none counts as zero.
    pub(crate) async fn committed(&self, observer: &BaseConsumer) -> BTreeMap<i32, i64> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(self.topic.name(), 0, PARTITIONS - 1);
        let known = "the broker knows the offsets of the group";
        let committed = eventually(PATIENCE, known, async || {
            match observer.committed_offsets(partitions.clone(), PATIENCE) {
                // It takes them up when it is first asked for the group.
                Err(KafkaError::MetadataFetch(
                    RDKafkaErrorCode::NotCoordinator | RDKafkaErrorCode::CoordinatorLoadInProgress,
                )) => None,
                committed => Some(committed.unwrap()),
            }
        })
        .await;
        let offset = |offset| match offset {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        let elements = committed.elements();
        elements
            .iter()
            .map(|part| (part.partition(), offset(part.offset())))
            .collect()
    }

    /// The end of each partition.
    pub(crate) fn ends(&self, observer: &BaseConsumer) -> BTreeMap<i32, i64> {
        let end = |partition| {
            let marks = observer.fetch_watermarks(self.topic.name(), partition, PATIENCE);
            (partition, marks.unwrap().1)
        };
        (0..PARTITIONS).map(end).collect()
    }

    /// Waits until everything on the topic is committed.
    pub(crate) async fn all_committed(&self) {
        let observer = Self::observer();
        eventually(PATIENCE, "everything is committed", async || {
            (self.committed(&observer).await == self.ends(&observer)).then_some(())
        })
        .await;
    }

    /// The name of the topic.
    pub(crate) fn topic(&self) -> &str {
        self.topic.name()
    }
}

impl Checker {
    /// Waits until it has partitions.
    async fn joins(&mut self, joined: &Condition) {
        eventually(PATIENCE, "the checker joins the group", async || {
            assert!(!self.running.is_finished(), "the checker has ended");
            joined.holds().then_some(())
        })
        .await;
    }

    /// The sum of a metric over its labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.endpoints.metrics().unwrap();
        let values = page.lines().filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            (key.split('{').next() == Some(name)).then(|| value.parse::<f64>().unwrap())
        });
        values.sum()
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has stopped, which must be in good order.
    pub(crate) async fn stopped(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.running).await;
        ended.unwrap().unwrap().unwrap();
    }
}
