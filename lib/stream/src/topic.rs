//! The topic of the tasks: made if it is not there.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use tokio::runtime::Handle;

use crate::causes::Causes;
use crate::client::{client_config, client_error};
use crate::config::KafkaConfig;
use crate::error::KafkaError;
use crate::limits::TopicLimits;
use crate::rights::{Act, lacking_right};

/// How long a broker may take to list its topics, or to make one.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How `ensure_topic` found the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// It was there.
    Present {
        /// With so many partitions, whatever the configuration says of new ones.
        partitions: usize,
    },
    /// It was made now.
    Created,
}

/// Makes the topic with the partitions, replication and retention of the configuration, if it is not
/// there; a topic that is there stays as it is.
pub async fn ensure_topic(config: &KafkaConfig) -> Result<TopicState, KafkaError> {
    Ok(prepare_topic(config).await?.0)
}

/// The same, and what the topic takes.
pub async fn prepare_topic(config: &KafkaConfig) -> Result<(TopicState, TopicLimits), KafkaError> {
    let (config, handle) = (config.clone(), Handle::current());
    tokio::task::spawn_blocking(move || prepare_blocking(&config, &handle))
        .await
        .map_err(|error| KafkaError::Thread {
            task: "makes the topic",
            cause: error.to_string(),
        })?
}

/// The same on a thread that may block: librdkafka's look at a topic does.
fn prepare_blocking(
    config: &KafkaConfig,
    handle: &Handle,
) -> Result<(TopicState, TopicLimits), KafkaError> {
    let found = look(config)?;
    // A scheduler looks for the topic after each turn that failed: the error says enough.
    let admin: AdminClient<Causes> = client_config(config, "webmon")
        .create_with_context(Causes::default())
        .map_err(|error| client_error(config, &error))?;
    let state = match found {
        Some(partitions) => TopicState::Present { partitions },
        None => make(&admin, config, handle)?,
    };
    let limits = handle.block_on(TopicLimits::read(&admin, &config.topic));
    Ok((state, limits))
}

/// A fault of the topic.
fn fault(
    config: &KafkaConfig,
    operation: &'static str,
    cause: String,
    remedy: &'static str,
) -> KafkaError {
    KafkaError::Topic {
        operation,
        topic: config.topic.clone(),
        brokers: config.brokers.join(","),
        cause,
        remedy,
    }
}

/// How many partitions the topic has, if it is there. It is asked for by name, as a list of all topics leaves out
/// those that this client has no right to; and by a consumer, as brokers make a topic that a producer asks for.
fn look(config: &KafkaConfig) -> Result<Option<usize>, KafkaError> {
    let client: BaseConsumer<Causes> = client_config(config, "webmon")
        .create_with_context(Causes::default())
        .map_err(|error| client_error(config, &error))?;
    let fault = |cause, remedy| fault(config, "look for", cause, remedy);
    let metadata = client
        .fetch_metadata(Some(&config.topic), TIMEOUT)
        .map_err(|error| {
            while client.poll(Duration::ZERO).is_some() {}
            let cause = client.context().summary();
            fault(
                cause.unwrap_or_else(|| error.to_string()),
                "check kafka.brokers",
            )
        })?;
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == config.topic);
    let Some(topic) = topic else {
        return Ok(None);
    };
    match topic.error().map(RDKafkaErrorCode::from) {
        None | Some(RDKafkaErrorCode::LeaderNotAvailable) => Ok(Some(topic.partitions().len())),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Ok(None)
        }
        Some(code) => Err(
            match lacking_right(code, Act::Describe, &config.topic, "") {
                Some(lack) => fault(lack.what, lack.remedy),
                None => fault(describe(code), remedy(code)),
            },
        ),
    }
}

/// Makes the topic.
fn make(
    admin: &AdminClient<Causes>,
    config: &KafkaConfig,
    handle: &Handle,
) -> Result<TopicState, KafkaError> {
    let fault = |cause, remedy| fault(config, "create", cause, remedy);
    match handle.block_on(create(admin, config)) {
        Ok(Ok(())) => {
            tracing::info!(
                kafka.topic = config.topic,
                partitions = config.partitions,
                "topic created"
            );
            Ok(TopicState::Created)
        }
        // Another service was faster, with the same configuration.
        Ok(Err(RDKafkaErrorCode::TopicAlreadyExists)) => Ok(TopicState::Present {
            partitions: usize::try_from(config.partitions).unwrap_or(0),
        }),
        Ok(Err(code)) => Err(match lacking_right(code, Act::Create, &config.topic, "") {
            Some(lack) => fault(lack.what, lack.remedy),
            None => fault(describe(code), remedy(code)),
        }),
        Err(error) => {
            let cause = admin.inner().context().summary();
            let cause = cause.unwrap_or_else(|| error.to_string());
            Err(fault(cause, remedy(RDKafkaErrorCode::Unknown)))
        }
    }
}

/// Asks for the topic; what the broker says of it is the inner result.
async fn create(
    admin: &AdminClient<Causes>,
    config: &KafkaConfig,
) -> KafkaResult<Result<(), RDKafkaErrorCode>> {
    let retention_ms = config.retention.as_millis().to_string();
    let replication = TopicReplication::Fixed(config.replication);
    // By the brokers' clocks: tasks of a scheduler whose own is an hour ahead would else be refused.
    let topic = NewTopic::new(&config.topic, config.partitions, replication)
        .set("retention.ms", &retention_ms)
        .set("message.timestamp.type", "LogAppendTime");
    let options = AdminOptions::new()
        .operation_timeout(Some(TIMEOUT))
        .request_timeout(Some(TIMEOUT));
    let results = admin.create_topics([&topic], &options).await?;
    Ok(results
        .into_iter()
        .find_map(Result::err)
        .map_or(Ok(()), |(_, code)| Err(code)))
}

/// A code in librdkafka's words, without its name in Rust.
pub(crate) fn describe(code: RDKafkaErrorCode) -> String {
    let text = code.to_string();
    let words = text
        .split_once(" (")
        .and_then(|(_, words)| words.strip_suffix(')'));
    words.unwrap_or(&text).to_owned()
}

/// What would help when a broker refuses to make the topic.
const fn remedy(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => {
            "set kafka.replication to at most the number of brokers"
        }
        RDKafkaErrorCode::InvalidPartitions => "set kafka.partitions to what the cluster allows",
        RDKafkaErrorCode::InvalidConfig => "set kafka.retention to what the cluster allows",
        RDKafkaErrorCode::InvalidTopic => {
            "use letters, digits, dot, dash and underscore in kafka.topic"
        }
        _ => "create it by hand, or look into the broker's log",
    }
}
