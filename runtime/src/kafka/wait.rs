//! Patience at start: waits until a broker answers, and says why none does.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use tokio_util::sync::CancellationToken;

use super::{KafkaError, client_config, client_error, log::plain};
use crate::config::{KafkaConfig, KafkaSsl};
use crate::retry::Outage;

/// How long one look for a broker takes when there is none, and the slowest answer that is heard; so
/// soon a stop is heard.
const LOOK: Duration = Duration::from_secs(1);

/// Waits until a broker answers, for as long as `patience` lasts.
///
/// Logs once per change of state; the error names the brokers, the cause and the remedy.
pub async fn wait_for_brokers(
    config: &KafkaConfig,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<(), KafkaError> {
    let (config, stop) = (config.clone(), stop.clone());
    tokio::task::spawn_blocking(move || wait_blocking(&config, patience, &stop))
        .await
        .map_err(|error| KafkaError::Thread {
            task: "waits for Kafka",
            cause: error.to_string(),
        })?
}

/// The same on a thread that may block: librdkafka's look at the cluster does.
fn wait_blocking(
    config: &KafkaConfig,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<(), KafkaError> {
    let brokers = config.brokers.join(",");
    let deadline = Instant::now() + patience;
    let mut outage = Outage::new(format!("Kafka at {brokers}"));
    let client =
        BaseProducer::from_config_and_context(&client_config(config, "webmon"), Causes::default())
            .map_err(|error| client_error(config, &error))?;
    while !stop.is_cancelled() {
        let left = deadline.saturating_duration_since(Instant::now());
        let looked = client.client().fetch_metadata(None, left.min(LOOK));
        // Brings the errors of the attempt to the context.
        client.poll(Duration::ZERO);
        let Err(error) = looked else {
            outage.over();
            return Ok(());
        };
        let cause = client
            .context()
            .summary()
            .unwrap_or_else(|| error.to_string());
        outage.failed(&cause);
        if left.is_zero() {
            let remedy = remedy(&cause, config);
            return Err(KafkaError::Unreachable {
                brokers,
                patience,
                cause,
                remedy,
            });
        }
    }
    Err(KafkaError::Stopped { brokers })
}

/// What would help against a failure to connect, as far as librdkafka's words tell.
fn remedy(cause: &str, config: &KafkaConfig) -> &'static str {
    if let Some(remedy) = password_remedy(cause, config.sasl.is_some()) {
        return remedy;
    }
    match &config.ssl {
        None if cause.contains("Disconnected") => {
            "check kafka.brokers; if that port speaks TLS, add the section kafka.ssl"
        }
        Some(_)
            if cause.contains("SSL connection closed by peer")
                || cause.contains("wrong version number") =>
        {
            "that port seems to speak plain Kafka: use the brokers' TLS port, or delete the section kafka.ssl"
        }
        Some(KafkaSsl { client: None, .. }) if cause.contains("certificate required") => {
            "the brokers demand a client's certificate: set kafka.ssl.certificate and kafka.ssl.key"
        }
        Some(_) if cause.contains("SSL") => {
            "check that kafka.ssl.ca signed the brokers' certificates, that the brokers trust kafka.ssl.certificate, and that none of them has expired"
        }
        _ => "check kafka.brokers and that a broker runs",
    }
}

/// What would help where a password is the matter.
fn password_remedy(cause: &str, is_set: bool) -> Option<&'static str> {
    Some(match is_set {
        false if cause.contains("SASL") => {
            "the brokers demand a password: add the section kafka.sasl with mechanism, username and password"
        }
        true if cause.contains("nsupported SASL mechanism") => {
            "set kafka.sasl.mechanism to one that the brokers offer"
        }
        true if cause.contains("SASL state") => {
            "that port takes no password: use the brokers' SASL port, or delete the section kafka.sasl"
        }
        true if cause.contains("uthentication") => {
            "check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism"
        }
        true if cause.contains("Disconnected") => {
            "check kafka.brokers; if that port speaks TLS, add the section kafka.ssl; if it takes no password, delete the section kafka.sasl"
        }
        _ => return None,
    })
}

/// Collects why each broker cannot be reached.
#[derive(Debug, Default)]
struct Causes(Mutex<BTreeMap<String, String>>);

impl Causes {
    /// Notes what librdkafka says, which begins with the broker.
    fn note(&self, message: &str) {
        if let Some((broker, cause)) = plain(message).split_once(": ") {
            let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            causes.insert(broker.to_owned(), cause.to_owned());
        }
    }

    /// The causes of all brokers in one line; the broker is named where there are several.
    fn summary(&self) -> Option<String> {
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

impl ProducerContext for Causes {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, _opaque: ()) {}
}
