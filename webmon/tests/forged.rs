//! The embedded broker lets any local user in: what a stranger puts on it is no task.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use checker::config::Config;
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::task::{Task, VERSION};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use runtime::broker::weight;
use runtime::config::Configuration as _;
use runtime::service::Service;
use runtime::telemetry::Endpoints;
use serde_json::value::RawValue;
use stream::config::KafkaConfig;
use stream::{HEADER, Seal, client_config};
use tempfile::TempDir;
use testbed::{Database, Settings, Website, eventually, tables};
use tokio_util::sync::CancellationToken;
use webmon::broker::EmbeddedBroker;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A checker that may dial loopback.
fn checker(database: &Database, kafka: &KafkaConfig) -> Config {
    let folder = TempDir::new().unwrap();
    let settings = Settings::plain(database.url(), &kafka.topic).with_few_slots();
    let file = settings.checker(folder.path(), "checker").path;
    Config {
        kafka: kafka.clone(),
        ..Config::load(&file).unwrap()
    }
}

/// The message of a task.
fn message(site_id: i64, now: i64, (url, ours): (&str, Installation)) -> Vec<u8> {
    let nothing = || RawValue::from_string("{}".to_owned()).unwrap();
    let task = Task {
        v: VERSION,
        installation: ours,
        site_id: SiteId(site_id),
        name: "site".to_owned(),
        scheduled_at: UnixMs(now),
        expires_at: UnixMs(now + 60_000),
        url: url.to_owned(),
        timeout_ms: 10_000,
        request: nothing(),
        expect: nothing(),
    };
    let mut bytes = Vec::new();
    task.encode(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_a_stranger_is_not_checked_and_counts_for_no_room() {
    let (database, website) = (Database::migrated().await, Website::start());
    let connection = database.connect().await;
    let ours = tables::installation(&connection).await.parse().unwrap();
    let broker = EmbeddedBroker::start().unwrap();
    let kafka = broker.config().unwrap();
    let endpoints = Endpoints::new();
    let service = Service {
        stop: CancellationToken::new(),
        endpoints: Arc::clone(&endpoints),
        broker: broker.broker(),
        feed: None,
        reloads: None,
    };
    let stop = service.stop.clone();
    let running = tokio::spawn(checker::run(checker(&database, &kafka), service));

    let now = tables::now(&connection).await;
    let producer: BaseProducer = client_config(&kafka, "stranger").create().unwrap();
    let seal = Seal::of(&kafka).unwrap();
    let url = website.url("/ok");
    // One after the other on one partition, the sealed one last.
    for site_id in 1..=100 {
        let payload = message(site_id, now, (&url, ours));
        let tag = seal.sign(b"key", &payload);
        let mut record = BaseRecord::to(&kafka.topic)
            .partition(0)
            .key("key")
            .payload(&payload);
        if site_id == 100 {
            broker.memory().reserve(weight(payload.len())).await;
            record = record.headers(OwnedHeaders::new().insert(Header {
                key: HEADER,
                value: Some(tag.as_ref()),
            }));
        } else {
            // Of a task that waits elsewhere.
            broker.memory().reserve(1_000).await;
        }
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let rows = "SELECT count(*) FROM check_result";
    eventually(PATIENCE, "the sealed task is recorded", async || {
        assert!(!running.is_finished(), "the checker has ended");
        (tables::number(&connection, rows).await > 0).then_some(())
    })
    .await;
    let page = endpoints.metrics().unwrap();
    assert!(page.contains("webmon_poison_total 99\n"), "{page}");
    assert_eq!(
        tables::number(&connection, "SELECT max(site_id) FROM check_result").await,
        100
    );
    assert_eq!(
        (
            tables::number(&connection, rows).await,
            website.total_hits()
        ),
        (1, 1)
    );
    assert_eq!(broker.memory().bytes(), 99_000);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[test]
fn each_process_has_a_key_of_its_own() {
    let key = || {
        EmbeddedBroker::start()
            .unwrap()
            .config()
            .unwrap()
            .key
            .unwrap()
    };
    assert_ne!(key(), key());
}
