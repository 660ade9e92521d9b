//! The topic of the tasks: made if it is not there.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use tokio::runtime::Handle;

use super::{KafkaError, Quiet, client_config, client_error};
use crate::config::KafkaConfig;

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
    let (config, handle) = (config.clone(), Handle::current());
    tokio::task::spawn_blocking(move || ensure_blocking(&config, &handle))
        .await
        .map_err(|error| KafkaError::Thread {
            task: "makes the topic",
            cause: error.to_string(),
        })?
}

/// The same on a thread that may block: librdkafka's list of topics does.
fn ensure_blocking(config: &KafkaConfig, handle: &Handle) -> Result<TopicState, KafkaError> {
    // A scheduler looks for the topic after each turn that failed: the error says enough.
    let admin: AdminClient<Quiet> = client_config(config, "webmon")
        .create_with_context(Quiet)
        .map_err(|error| client_error(config, &error))?;
    let fault = |operation, cause: String, remedy| KafkaError::Topic {
        operation,
        topic: config.topic.clone(),
        brokers: config.brokers.join(","),
        cause,
        remedy,
    };
    // All topics are listed, because asking for one makes brokers create it with their own defaults.
    let metadata = admin
        .inner()
        .fetch_metadata(None, TIMEOUT)
        .map_err(|error| fault("look for", error.to_string(), "check kafka.brokers"))?;
    let found = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == config.topic);
    if let Some(topic) = found {
        return Ok(TopicState::Present {
            partitions: topic.partitions().len(),
        });
    }
    match handle.block_on(create(&admin, config)) {
        Ok(Ok(())) => {
            tracing::info!(
                kafka.topic = config.topic,
                partitions = config.partitions,
                "topic created"
            );
            Ok(TopicState::Created)
        }
        // Somebody else was faster, with the same configuration.
        Ok(Err(RDKafkaErrorCode::TopicAlreadyExists)) => Ok(TopicState::Present {
            partitions: usize::try_from(config.partitions).unwrap_or(0),
        }),
        Ok(Err(code)) => Err(fault("create", describe(code), remedy(code))),
        Err(error) => Err(fault(
            "create",
            error.to_string(),
            remedy(RDKafkaErrorCode::Unknown),
        )),
    }
}

/// Asks for the topic; what the broker says of it is the inner result.
async fn create(
    admin: &AdminClient<Quiet>,
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
fn describe(code: RDKafkaErrorCode) -> String {
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
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            "allow this client to create it, or create it by hand"
        }
        _ => "create it by hand, or look into the broker's log",
    }
}
