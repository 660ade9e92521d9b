//! What can go wrong with Kafka as a whole.

use std::time::Duration;

/// What can go wrong with Kafka as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// librdkafka refuses the settings, mostly because of a certificate.
    #[error("cannot set up the Kafka client for {brokers}: {cause}; {remedy}")]
    Client {
        /// `kafka.brokers`, with commas.
        brokers: String,
        /// What librdkafka says.
        cause: String,
        /// What would help.
        remedy: String,
    },
    /// No broker answered for as long as patience lasted.
    #[error(
        "cannot reach Kafka at {brokers} within {}: {cause}; {remedy}",
        humantime::format_duration(*.patience)
    )]
    Unreachable {
        /// `kafka.brokers`, with commas.
        brokers: String,
        /// How long it was tried.
        patience: Duration,
        /// Why the last attempt failed, for each broker that said so.
        cause: String,
        /// What would help.
        remedy: &'static str,
    },
    /// A broker answers, and sends clients where they reach none.
    #[error(
        "the broker at {brokers} answers, but tells clients to use {advertised}, which cannot be reached: {cause}; \
         correct advertised.listeners of the broker"
    )]
    Advertised {
        /// `kafka.brokers`, with commas.
        brokers: String,
        /// `host:port` where the broker says that it is.
        advertised: String,
        /// Why it cannot be reached there.
        cause: String,
    },
    /// The service was stopped while it waited for Kafka.
    #[error("stopped while waiting for Kafka at {brokers}")]
    Stopped {
        /// `kafka.brokers`, with commas.
        brokers: String,
    },
    /// The topic is not there and cannot be made, or cannot be looked for.
    #[error("cannot {operation} topic {topic} on {brokers}: {cause}; {remedy}")]
    Topic {
        /// `look for` or `create`.
        operation: &'static str,
        /// `kafka.topic`.
        topic: String,
        /// `kafka.brokers`, with commas.
        brokers: String,
        /// What the broker says.
        cause: String,
        /// What would help.
        remedy: &'static str,
    },
    /// A thread of this process ended in a panic.
    #[error("the thread that {task} ended early: {cause}")]
    Thread {
        /// What it was for.
        task: &'static str,
        /// How it ended.
        cause: String,
    },
}

impl KafkaError {
    /// Why a broker cannot be reached, as one line of the log says it.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Unreachable { cause, .. } => cause.clone(),
            other => other.to_string(),
        }
    }
}
