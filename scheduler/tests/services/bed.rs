//! A scheduler in this process, between a database and a topic of the test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::Result;
use contract::check::SiteId;
use contract::task::Task;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use runtime::broker::Broker;
use runtime::config::{HttpConfig, LogConfig, LogFormat, Secret};
use runtime::{service::Service, telemetry::Endpoints};
use scheduler::config::{Config, Settings};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, QueryResult, Statement};
use store::config::DatabaseConfig;
use stream::config::KafkaConfig;
use testbed::{Topic, eventually, tables};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::law;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How long the broker may take to answer.
const BROKER: Duration = Duration::from_secs(10);

/// What a scheduler stands on.
pub(crate) struct Bed {
    /// Its configuration.
    pub(crate) config: Config,
    /// A pool on its database.
    pub(crate) database: DatabaseConnection,
    /// Its topic.
    pub(crate) topic: Topic,
    /// Its database.
    owned: testbed::Database,
}

/// A row of `site`, as far as it says when tasks are due. Instants are milliseconds since the epoch.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// `site.id`.
    pub(crate) id: i64,
    /// `site.name`.
    pub(crate) name: String,
    /// `site.interval_ms`.
    pub(crate) interval_ms: i64,
    /// `site.enabled`.
    pub(crate) enabled: bool,
    /// `site.check_at`.
    pub(crate) check_at: Option<i64>,
    /// `site.scheduled_from`.
    pub(crate) scheduled_from: Option<i64>,
}

/// A running scheduler.
pub(crate) struct Running {
    /// Asks it to stop.
    stop: CancellationToken,
    /// What it counts.
    endpoints: Arc<Endpoints>,
    /// Ends with it.
    task: JoinHandle<Result<()>>,
}

impl Bed {
    /// An empty database at the newest schema, and a topic that is not there yet.
    pub(crate) async fn new(purpose: &str) -> Self {
        let owned = testbed::Database::migrated().await;
        let topic = Topic::unique(purpose);
        let kafka = KafkaConfig {
            topic: topic.name().to_owned(),
            partitions: 3,
            retention: Duration::from_hours(1),
            ..KafkaConfig::plain(vec![testbed::brokers()])
        };
        let config = Config {
            database: DatabaseConfig {
                url: Secret::new(owned.url()),
            },
            kafka,
            http: HttpConfig {
                listen: ([127, 0, 0, 1], 0).into(),
            },
            traces: None,
            log: LogConfig {
                format: LogFormat::Text,
                filter: "info".to_owned(),
            },
            settings: Settings {
                horizon: Duration::from_millis(1_200),
                turn: Duration::from_millis(200),
                retention: Duration::from_hours(30 * 24),
            },
        };
        Self {
            database: owned.connect().await,
            config,
            topic,
            owned,
        }
    }

    /// A pool of connections more.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        self.owned.connect().await
    }

    /// Starts a scheduler.
    pub(crate) fn start(&self) -> Running {
        let stop = CancellationToken::new();
        let endpoints = Endpoints::new();
        let service = Service {
            stop: stop.clone(),
            endpoints: Arc::clone(&endpoints),
            broker: Broker::Cluster,
            feed: None,
            reloads: None,
        };
        Running {
            stop,
            endpoints,
            task: tokio::spawn(scheduler::run(self.config.clone(), service)),
        }
    }

    /// Runs statements; returns how many rows the last one touched.
    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let done = self.database.execute_unprepared(sql).await;
        done.expect(sql).rows_affected()
    }

    /// A number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        tables::number(&self.database, sql).await
    }

    /// The database's time.
    pub(crate) async fn now(&self) -> i64 {
        tables::now(&self.database).await
    }

    /// All rows of a query.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.database.query_all_raw(statement).await.expect(sql)
    }

    /// Adds a site as any tool might.
    pub(crate) async fn insert(&self, name: &str, interval_ms: i64) {
        let timeout_ms = interval_ms.min(1_000);
        self.execute(&format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms)
             VALUES ('{name}', 'http://{name}.example/', {interval_ms}, {timeout_ms})"
        ))
        .await;
    }

    /// All sites.
    pub(crate) async fn sites(&self) -> Vec<Site> {
        let rows = self
            .rows(
                "SELECT id, name, interval_ms, enabled,
                     (extract(epoch FROM nullif(check_at, 'infinity')) * 1000)::bigint,
                     (extract(epoch FROM scheduled_from) * 1000)::bigint
                 FROM site ORDER BY id",
            )
            .await;
        let site = |row: &QueryResult| {
            Ok::<_, sea_orm::TryGetError>(Site {
                id: row.try_get_by_index(0)?,
                name: row.try_get_by_index(1)?,
                interval_ms: row.try_get_by_index::<i32>(2)?.into(),
                enabled: row.try_get_by_index(3)?,
                check_at: row.try_get_by_index(4)?,
                scheduled_from: row.try_get_by_index(5)?,
            })
        };
        rows.iter().map(|row| site(row).unwrap()).collect()
    }

    /// The site of this name.
    pub(crate) async fn site(&self, name: &str) -> Site {
        let sites = self.sites().await;
        sites.into_iter().find(|site| site.name == name).unwrap()
    }

    /// Up to where each shard is scheduled.
    pub(crate) async fn scheduled_until(&self) -> BTreeMap<i64, i64> {
        let rows = self
            .rows(
                "SELECT id::bigint, (extract(epoch FROM scheduled_until) * 1000)::bigint
                 FROM schedule_shard",
            )
            .await;
        let pair = |row: &QueryResult| {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
            )
        };
        rows.iter().map(pair).collect()
    }

    /// Waits until every enabled site is stamped; returns the sites.
    pub(crate) async fn stamped(&self) -> Vec<Site> {
        eventually(PATIENCE, "every enabled site is stamped", async || {
            let sites = self.sites().await;
            let all = sites
                .iter()
                .all(|site| !site.enabled || site.scheduled_from.is_some());
            all.then_some(sites)
        })
        .await
    }

    /// Waits until every shard is scheduled so far beyond every stamp, and beyond now.
    pub(crate) async fn scheduled_for(&self, millis: i64) {
        let sites = self.stamped().await;
        let stamps = sites.iter().filter_map(|site| site.scheduled_from);
        let last = stamps.max().unwrap_or(0).max(self.now().await);
        tables::scheduled_until(&self.database, last + millis).await;
    }

    /// All tasks of the topic.
    pub(crate) async fn tasks(&self) -> Vec<Task> {
        let (brokers, topic) = (
            self.config.kafka.brokers.join(","),
            self.config.kafka.topic.clone(),
        );
        let reading = tokio::task::spawn_blocking(move || read_tasks(&brokers, &topic));
        reading.await.unwrap()
    }

    /// Asserts that the tasks hold every instant of every enabled site from its stamp up to where its
    /// shard is scheduled, and no other after its stamp. `often` allows one to be there more than once.
    pub(crate) async fn assert_law(&self, tasks: &[Task], often: bool) {
        let until = self.scheduled_until().await;
        for site in self.sites().await.iter().filter(|site| site.enabled) {
            let span = (site.scheduled_from.unwrap(), until[&law::shard(&site.name)]);
            let found: Vec<_> = instants(site.id, tasks)
                .into_iter()
                .filter(|at| *at > span.0)
                .collect();
            let expected = site.due(span);
            assert!(!expected.is_empty(), "nothing was due: {site:?}");
            let set: BTreeSet<_> = found.iter().copied().collect();
            assert_eq!(set, expected, "{site:?}");
            assert!(
                often || set.len() == found.len(),
                "an instant twice: {site:?} {found:?}"
            );
        }
    }
}

impl Site {
    /// The due instants in `(since, until]`.
    pub(crate) fn due(&self, (since, until): (i64, i64)) -> BTreeSet<i64> {
        let mut due = law::instants(&self.name, self.interval_ms, (since, until));
        due.extend(self.check_at.filter(|at| since < *at && *at <= until));
        due
    }
}

impl Running {
    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended
            .expect("the scheduler stops in time")
            .unwrap()
            .unwrap();
    }

    /// Ends it wherever it is.
    pub(crate) async fn abort(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// The value of a counter.
    pub(crate) async fn counter(&mut self, name: &str) -> u64 {
        if self.task.is_finished() {
            let ended = (&mut self.task).await;
            unreachable!("the scheduler has ended by itself: {ended:?}");
        }
        let metrics = self.endpoints.metrics().unwrap();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// The value of a gauge.
    pub(crate) fn gauge(&self, name: &str) -> f64 {
        let metrics = self.endpoints.metrics().unwrap();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect(name).parse().unwrap()
    }

    /// What lacks of its readiness, in words.
    pub(crate) fn lacking(&self) -> Vec<String> {
        self.endpoints.readiness().lacking()
    }

    /// Waits until exactly these conditions of its readiness are missing.
    pub(crate) async fn missing(&self, conditions: &[&str]) {
        let what = format!("{conditions:?} is missing");
        eventually(PATIENCE, &what, async || {
            (self.endpoints.readiness().missing() == conditions).then_some(())
        })
        .await;
    }

    /// Waits until a counter has come so far.
    pub(crate) async fn counted(&mut self, name: &str, least: u64) {
        let what = format!("{name} is {least} or more");
        eventually(PATIENCE, &what, async || {
            (self.counter(name).await >= least).then_some(())
        })
        .await;
    }
}

/// The instants of a site's tasks, in the order in which they are found.
pub(crate) fn instants(site_id: i64, tasks: &[Task]) -> Vec<i64> {
    let own = tasks.iter().filter(|task| task.site_id == SiteId(site_id));
    own.map(|task| task.scheduled_at.0).collect()
}

/// Reads a topic from its beginning up to its end as it is now, as a member of no group.
pub(crate) fn read_tasks(brokers: &str, topic: &str) -> Vec<Task> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "none")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), BROKER).unwrap();
    let (mut open, mut assignment) = (BTreeMap::new(), TopicPartitionList::new());
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition.id(), BROKER)
            .unwrap();
        if low < high {
            open.insert(partition.id(), high);
            assignment
                .add_partition_offset(topic, partition.id(), Offset::Beginning)
                .unwrap();
        }
    }
    consumer.assign(&assignment).unwrap();
    let mut tasks = Vec::new();
    while !open.is_empty() {
        let message = consumer.poll(BROKER).expect("a message in time").unwrap();
        let task: Task = serde_json::from_slice(message.payload().unwrap()).unwrap();
        assert_eq!(message.key().unwrap(), task.site_id.to_string().as_bytes());
        tasks.push(task);
        if open.get(&message.partition()) == Some(&(message.offset() + 1)) {
            open.remove(&message.partition());
        }
    }
    tasks
}
