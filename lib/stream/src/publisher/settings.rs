//! What is published, and how.

use runtime::broker::Broker;

use super::request_size::RequestSize;
use crate::config::KafkaConfig;

/// What is published, and how.
#[derive(Clone, Debug)]
pub struct Settings<Label> {
    /// How Kafka is reached. The messages go to its `topic`.
    pub kafka: KafkaConfig,
    /// The broker.
    pub broker: Broker,
    /// How brokers' logs call the client.
    pub client_id: &'static str,
    /// What a message is called in errors: `task`.
    pub message: &'static str,
    /// How much a request may carry; shared by all publishers of a topic.
    pub request_size: RequestSize,
    /// Reads from a payload which message it is, to tell of one that Kafka refuses for its size.
    pub label: fn(&[u8]) -> Option<Label>,
}
