//! What a service does with Kafka at its start: it waits for a broker, and makes the topic of the tasks.

use color_eyre::eyre::{self, Report};
use runtime::conditions::KAFKA;
use runtime::service::{PATIENCE, Service, Stopped};
use tracing::warn;

use crate::config::KafkaConfig;
use crate::error::KafkaError;
use crate::limits::TopicLimits;
use crate::look::WatchedKafka;
use crate::topic::prepare_topic;
use crate::wait::wait_for_brokers;

/// Kafka, once a service has reached it.
#[derive(Debug)]
pub struct Reached {
    /// What the topic takes.
    pub topic: TopicLimits,
    /// What readiness looks at from now on.
    pub watched: WatchedKafka,
}

/// Waits for Kafka with the tasks' topic.
pub async fn reach(service: &Service, config: &KafkaConfig) -> eyre::Result<Reached> {
    let readiness = service.endpoints.readiness();
    let reached = readiness.condition(KAFKA);
    config.tell();
    let waited = wait_for_brokers(config, PATIENCE, &service.stop).await;
    waited.map_err(report)?;
    let (_, topic) = prepare_topic(config).await?;
    for shortcoming in topic.shortcomings() {
        warn!(
            kafka.topic = config.topic,
            "the topic is less than webmon may need: {shortcoming}"
        );
    }
    reached.set(true);
    Ok(Reached {
        topic,
        watched: WatchedKafka::new(readiness, config),
    })
}

/// The error as the host of a service knows it.
fn report(error: KafkaError) -> Report {
    match error {
        KafkaError::Stopped { .. } => Report::new(Stopped(error.to_string())),
        error => error.into(),
    }
}
