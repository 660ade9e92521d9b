//! What is subscribed to, and how.

use runtime::broker::Broker;

use crate::config::KafkaConfig;

/// What is subscribed to, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How Kafka is reached. Its `topic` is read, as a member of its `group`.
    pub kafka: KafkaConfig,
    /// The broker.
    pub broker: Broker,
    /// How brokers' logs call the client.
    pub client_id: &'static str,
    /// What the messages are called in this program's log: `tasks`.
    pub messages: &'static str,
}
