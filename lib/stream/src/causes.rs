//! Causes: why each broker cannot be reached, in librdkafka's words.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use crate::advertised::Nowhere;
use crate::log::plain;

/// How librdkafka words that a broker hung up which had told what it can do.
const WHEN_UP: &str = "in state UP";
/// How that is said here. Kafka's brokers do so where a password is demanded, and say no word of it.
pub(crate) const HUNG_UP: &str = " after its first answer";

/// Collects why each broker cannot be reached.
#[derive(Debug, Default)]
pub(crate) struct Causes(Mutex<BTreeMap<String, String>>);

impl Causes {
    /// Notes what librdkafka says, which begins with the broker.
    fn note(&self, message: &str) {
        if let Some((broker, cause)) = plain(message).split_once(": ") {
            let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let hung_up = cause.starts_with("Disconnected") && message.contains(WHEN_UP);
            let after = if hung_up { HUNG_UP } else { "" };
            causes.insert(broker.to_owned(), format!("{cause}{after}"));
        }
    }

    /// Forgets all: the brokers answer.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// A broker that cannot be reached, and whose address was told by another one: it is not `configured`.
    pub(crate) fn learned(&self, configured: &[String]) -> Option<Nowhere> {
        let causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        causes.iter().find_map(|(broker, cause)| {
            // As librdkafka names them: those that it was given are `host:port/bootstrap`.
            let (address, id) = broker.rsplit_once('/')?;
            let told = id.parse::<i32>().is_ok() && !configured.iter().any(|own| own == address);
            told.then(|| Nowhere {
                advertised: address.to_owned(),
                cause: cause.clone(),
            })
        })
    }

    /// The causes of all brokers in one line; the broker is named where there are several.
    pub(crate) fn summary(&self) -> Option<String> {
        let causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match causes.len() {
            0 => None,
            1 => causes.values().next().cloned(),
            _ => {
                let lines = causes
                    .iter()
                    .map(|(broker, cause)| format!("{broker}: {cause}"));
                Some(lines.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl ClientContext for Causes {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!("Kafka: {facility}: {message}");
        // A broker that hangs up at once is no error to librdkafka, only a line of its log.
        if facility == "FAIL" {
            self.note(message);
        }
    }

    fn error(&self, error: ClientError, reason: &str) {
        // "1/1 brokers are down" says nothing that the broker's own line does not say better.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.note(reason);
        }
    }
}

impl ConsumerContext for Causes {}

impl ProducerContext for Causes {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, _opaque: ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_was_told_of_is_known_from_those_that_were_configured() {
        let causes = Causes::default();
        causes.note("a:1/bootstrap: Connection refused");
        causes.note("a:1/1: Connection refused");
        assert_eq!(causes.learned(&["a:1".to_owned()]), None);
        causes.note("kafka-1.internal:9092/1: Failed to resolve");
        let nowhere = causes.learned(&["a:1".to_owned()]).unwrap();
        assert_eq!(nowhere.advertised, "kafka-1.internal:9092");
        assert_eq!(nowhere.cause, "Failed to resolve");
        causes.clear();
        assert_eq!(causes.summary(), None);
    }
}
