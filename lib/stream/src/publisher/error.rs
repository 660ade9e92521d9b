//! What can go wrong with a message, or with its batch.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{Act, describe, lacking_right};

/// Kafka has not got a message, and its batch has failed.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PublishError {
    /// What failed, or which right lacks.
    what: String,
    /// What librdkafka says.
    source: KafkaError,
}

/// Why a message was not sent.
#[derive(Debug)]
pub enum SendError {
    /// The message itself cannot be sent, for this reason; others can.
    Message(String),
    /// Its batch has failed.
    Batch(PublishError),
}

impl SendError {
    /// Tells the fault of one message from that of all.
    pub(super) fn of(code: RDKafkaErrorCode, message: &str, bytes: usize) -> Self {
        if code == RDKafkaErrorCode::MessageSizeTooLarge {
            return Self::Message(format!("{bytes} bytes are more than Kafka takes"));
        }
        Self::Batch(PublishError {
            what: format!("hand a {message} to Kafka"),
            source: KafkaError::MessageProduction(code),
        })
    }
}

impl PublishError {
    /// A message was not delivered.
    pub(super) fn undelivered(error: &KafkaError, message: &str, topic: &str) -> Self {
        let lack = lacking_right(code_of(error), Act::Write, topic, "");
        Self {
            what: lack.map_or_else(
                || format!("deliver a {message} to topic {topic}"),
                |lack| lack.to_string(),
            ),
            source: error.clone(),
        }
    }

    /// Whether Kafka refused a request for its size.
    pub fn is_oversized(&self) -> bool {
        is_oversized(&self.source)
    }

    /// Why, in one line. Kafka's errors say the same twice, so its own words are taken; the name of a right that
    /// lacks is enough.
    pub fn cause(&self) -> String {
        match code_of(&self.source) {
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed => self.what.clone(),
            code => format!("{}: {}", self.what, describe(code)),
        }
    }
}

/// Kafka's code of an error.
fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
}

/// Whether Kafka refused a request for its size.
pub(super) fn is_oversized(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}
