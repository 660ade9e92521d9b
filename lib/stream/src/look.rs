//! A look at Kafka: whether it can do what webmon asks of it now, and what lacks if not.
//!
//! That a broker answers says little. The topic must be there and this client must see it, each partition needs a
//! leader, and the leaders must be reached where they say that they are.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use color_eyre::eyre;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::{Metadata, MetadataBroker, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};
use runtime::conditions::KAFKA;
use runtime::readiness::{Dependency, LOOK_LIMIT};
use runtime::telemetry::{Condition, Readiness};
use tokio::task::spawn_blocking;

use crate::advertised;
use crate::causes::Causes;
use crate::client::client_config;
use crate::config::KafkaConfig;
use crate::rights::{Act, lacking_right};
use crate::topic::describe;

/// Kafka, as readiness sees it.
pub struct WatchedKafka {
    /// Whether it answers, and has the topic.
    condition: Condition,
    /// Where it is.
    config: KafkaConfig,
    /// A client; none before the first look and after one that failed.
    client: Option<Client>,
}

impl WatchedKafka {
    /// Kafka that has not been looked at yet.
    pub(crate) fn new(readiness: &Readiness, config: &KafkaConfig) -> Self {
        Self {
            condition: readiness.condition(KAFKA),
            config: config.clone(),
            client: None,
        }
    }
}

impl Dependency for WatchedKafka {
    async fn look(&mut self) -> eyre::Result<()> {
        let (config, client) = (self.config.clone(), self.client.take());
        // librdkafka's own deadlines end the thread.
        let looked = spawn_blocking(move || look(client, &config, LOOK_LIMIT)).await;
        let lack = match looked {
            Ok(Ok(client)) => {
                self.client = Some(client);
                None
            }
            Ok(Err(lack)) => Some(lack),
            Err(error) => Some(error.to_string()),
        };
        self.condition.tell(lack);
        Ok(())
    }
}

impl fmt::Debug for WatchedKafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brokers = &self.config.brokers;
        let mut shown = f.debug_struct("WatchedKafka");
        shown.field("brokers", brokers).finish_non_exhaustive()
    }
}

/// A client of Kafka that is a member of no group.
type Client = BaseConsumer<Causes>;

/// Looks once and gives the client back; blocks for a few times `limit` at most. A client to which no broker answers
/// is not used again: it may have [lost them all](crate::Stranded).
fn look(client: Option<Client>, config: &KafkaConfig, limit: Duration) -> Result<Client, String> {
    let new = || {
        let settings = client_config(config, "webmon-readiness");
        Client::from_config_and_context(&settings, Causes::default())
    };
    let client = match client {
        Some(client) => client,
        None => new().map_err(|error| error.to_string())?,
    };
    serve(&client);
    // Asking about one topic makes no broker create it.
    let metadata = client
        .fetch_metadata(Some(&config.topic), limit)
        .map_err(|error| unanswered(&client, &error.to_string()))?;
    if metadata.brokers().is_empty() {
        return Err("no broker is counted in by the cluster".to_owned());
    }
    let leaders = leaders(&metadata, &config.topic)?;
    ask_leaders(&client, config, (&metadata, &leaders), limit)?;
    client.context().clear();
    Ok(client)
}

/// Takes what the client has to say of its own: it would pile up.
fn serve(client: &Client) {
    while client.poll(Duration::ZERO).is_some() {}
}

/// Why no broker answers.
fn unanswered(client: &Client, error: &str) -> String {
    serve(client);
    let causes = client.context().summary();
    format!("no broker answers: {}", causes.as_deref().unwrap_or(error))
}

/// A partition for each broker that leads one. Fails if the topic is not there, or a partition has no leader.
fn leaders(metadata: &Metadata, name: &str) -> Result<BTreeMap<i32, i32>, String> {
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let topic = topic.ok_or_else(|| format!("topic {name} does not exist"))?;
    if let Some(error) = topic.error() {
        return Err(topic_fault(name, error.into()));
    }
    let mut leaders = BTreeMap::new();
    for partition in topic.partitions() {
        if partition.leader() < 0 {
            return Err(leaderless(topic, partition.id()));
        }
        leaders.entry(partition.leader()).or_insert(partition.id());
    }
    Ok(leaders)
}

/// What is wrong with a topic.
fn topic_fault(name: &str, code: RDKafkaErrorCode) -> String {
    match code {
        RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
            format!(
                "topic {name} does not exist: the scheduler makes it with its next tasks, or make it by hand"
            )
        }
        code => lacking_right(code, Act::Describe, name, "").map_or_else(
            || format!("topic {name}: {}", describe(code)),
            |lack| lack.to_string(),
        ),
    }
}

/// What a partition without a leader means.
fn leaderless(topic: &MetadataTopic, partition: i32) -> String {
    format!(
        "partition {partition} of topic {} has no leader: bring its brokers back",
        topic.name()
    )
}

/// Asks each leader something that it alone can answer.
fn ask_leaders(
    client: &Client,
    config: &KafkaConfig,
    (metadata, leaders): (&Metadata, &BTreeMap<i32, i32>),
    limit: Duration,
) -> Result<(), String> {
    let mut asked = TopicPartitionList::with_capacity(leaders.len());
    for partition in leaders.values() {
        asked
            .add_partition_offset(&config.topic, *partition, Offset::End)
            .map_err(|error| error.to_string())?;
    }
    let error = match client.offsets_for_times(asked, limit) {
        Ok(told) => {
            let mut errors = told
                .elements()
                .into_iter()
                .filter_map(|told| told.error().err());
            match errors.next() {
                None => return Ok(()),
                Some(error) => error,
            }
        }
        Err(error) => error,
    };
    let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
    if let Some(lack) = lacking_right(code, Act::Describe, &config.topic, "") {
        return Err(lack.to_string());
    }
    let leads = |broker: &&MetadataBroker| leaders.contains_key(&broker.id());
    let mut leading = metadata.brokers().iter().filter(leads);
    let unreachable = leading.find_map(advertised::unreachable_broker);
    serve(client);
    Err(unreachable.map_or_else(
        || {
            let causes = client.context().summary();
            let cause = causes.unwrap_or_else(|| error.to_string());
            format!("a broker that leads partitions does not answer: {cause}")
        },
        |nowhere| nowhere.error(config).to_string(),
    ))
}
