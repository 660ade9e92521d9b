//! What a scheduler could not finish is done again: nothing is left half-done, and nothing is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use testbed::eventually;

use crate::bed::{Bed, PATIENCE, instants};
use crate::downtime::gaps;
use crate::law;

/// Sites in many shards, of an interval that any outage outlasts.
const SITES: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'shop ' || n, 'http://shop-' || n || '.example/', 500, 100 FROM generate_series(1, 100) AS n";
/// Sites in all shards, of an interval that reaches back further than any pause of a test.
const PATIENT_SITES: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'patient ' || n, 'http://shop-' || n || '.example/', 60000, 100 FROM generate_series(1, 1000) AS n";
/// The only broker of a mock.
const BROKER: i32 = 1;

/// Puts a broker inside this process in the place of the real one: it can be slow, or away.
fn mocked(bed: &mut Bed) -> MockCluster<'static, DefaultProducerContext> {
    let mock = MockCluster::new(1).unwrap();
    bed.config.kafka.brokers = vec![mock.bootstrap_servers()];
    mock.create_topic(&bed.config.kafka.topic, 3, 1).unwrap();
    mock
}

/// How far the shards that have sites are scheduled.
async fn busy_shards(bed: &Bed) -> BTreeMap<i64, i64> {
    let sites = bed.sites().await;
    let busy: BTreeSet<_> = sites.iter().map(|site| law::shard(&site.name)).collect();
    let mut shards = bed.scheduled_until().await;
    shards.retain(|shard, _| busy.contains(shard));
    shards
}

/// Waits until a turn that has claimed shards waits for Kafka.
async fn in_a_turn(bed: &Bed) {
    let held = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'webmon-scheduler turns'
                    AND state = 'idle in transaction'";
    eventually(PATIENCE, "a scheduler is in a turn", async || {
        (bed.number(held).await > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_that_dies_in_a_turn_leaves_nothing_half_done() {
    let mut bed = Bed::new("dies").await;
    let mock = mocked(&mut bed);
    bed.execute(PATIENT_SITES).await;
    let first = bed.start();
    bed.scheduled_for(1_000).await;
    first.abort().await;
    // Acknowledgements take so long that each of these dies while it holds its shards.
    mock.broker_round_trip_time(BROKER, Duration::from_millis(150))
        .unwrap();
    for _ in 0..3 {
        let mut scheduler = bed.start();
        scheduler.counted("webmon_tasks_produced_total", 1).await;
        in_a_turn(&bed).await;
        scheduler.abort().await;
    }
    mock.broker_round_trip_time(BROKER, Duration::ZERO).unwrap();
    let last = bed.start();
    bed.scheduled_for(2_000).await;
    last.stop().await;
    assert!(gaps(&bed).await.is_empty());
    assert_complete(&bed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_is_away_no_shard_advances_and_then_all_is_caught_up() {
    let mut bed = Bed::new("away").await;
    let mock = mocked(&mut bed);
    bed.execute(SITES).await;
    let mut scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    mock.broker_down(BROKER).unwrap();
    scheduler.counted("webmon_turns_failed_total", 1).await;
    let before = (busy_shards(&bed).await, gaps(&bed).await);
    scheduler.counted("webmon_turns_failed_total", 4).await;
    assert_eq!((busy_shards(&bed).await, gaps(&bed).await), before);
    mock.broker_up(BROKER).unwrap();
    bed.scheduled_for(1_000).await;
    scheduler.stop().await;
    // An outage that is longer than the shortest interval is a gap.
    assert!(gaps(&bed).await.len() > before.1.len());
    assert_complete(&bed).await;
}

/// Asserts that each instant is on the topic, or in a gap of its shard.
async fn assert_complete(bed: &Bed) {
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    let gaps = gaps(bed).await;
    for site in bed.sites().await {
        let shard = law::shard(&site.name);
        let found: BTreeSet<_> = instants(site.id, &tasks).into_iter().collect();
        let from = site.scheduled_from.unwrap();
        let missing: Vec<_> = site
            .due((from, until[&shard]))
            .into_iter()
            .filter(|at| !found.contains(at))
            .filter(|at| !gaps.iter().any(|gap| gap.holds(shard, *at)))
            .collect();
        assert!(
            missing.is_empty(),
            "{missing:?} of {site:?}, gaps: {gaps:?}"
        );
        let all = site.due((from - 60_000, until[&shard] + 60_000));
        assert!(found.is_subset(&all), "not due: {site:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_was_deleted_is_made_again_as_configured() {
    let bed = Bed::new("deleted").await;
    bed.execute(SITES).await;
    let mut scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    bed.topic.delete().await;
    scheduler.counted("webmon_turns_failed_total", 1).await;
    let partitions = eventually(PATIENCE, "the topic is there again", async || {
        partitions(&bed).await
    })
    .await;
    assert_eq!(partitions, 3);
    bed.scheduled_for(1_000).await;
    let whole = bed.now().await + 2_000;
    bed.scheduled_for(4_000).await;
    scheduler.stop().await;
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    for site in bed.sites().await {
        let found: BTreeSet<_> = instants(site.id, &tasks)
            .into_iter()
            .filter(|at| *at > whole)
            .collect();
        assert_eq!(
            found,
            site.due((whole, until[&law::shard(&site.name)])),
            "{site:?}"
        );
    }
}

/// How many partitions the topic has, if it is there. All topics are listed, as a broker may make one
/// that is asked for.
async fn partitions(bed: &Bed) -> Option<usize> {
    let (brokers, topic) = (
        bed.config.kafka.brokers.join(","),
        bed.topic.name().to_owned(),
    );
    let looking = tokio::task::spawn_blocking(move || {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .create()
            .unwrap();
        let metadata = client.fetch_metadata(None, PATIENCE).unwrap();
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        found.map(|topic| topic.partitions().len())
    });
    looking.await.unwrap()
}
