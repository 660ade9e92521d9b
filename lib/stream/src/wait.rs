//! Patience at start: waits until a broker answers, and says why none does.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::producer::{BaseProducer, Producer as _};
use runtime::retry::Outage;
use tokio_util::sync::CancellationToken;

use crate::advertised::{self, Nowhere};
use crate::causes::{Causes, HUNG_UP};
use crate::client::{client_config, client_error};
use crate::config::{KafkaConfig, KafkaSsl};
use crate::error::KafkaError;

/// How long one look for a broker takes when there is none, and the slowest answer that is heard; so
/// soon a stop is heard.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after a look that found a broker which sends clients nowhere.
const PAUSE: Duration = Duration::from_millis(500);

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
    let mut nowhere = None;
    while !stop.is_cancelled() {
        let left = deadline.saturating_duration_since(Instant::now());
        let looked = client.client().fetch_metadata(None, left.min(LOOK));
        // Brings the errors of the attempt to the context.
        client.poll(Duration::ZERO);
        let error = match looked {
            Ok(metadata) => {
                nowhere = advertised::unreachable(metadata.brokers());
                if nowhere.is_none() {
                    outage.over();
                    return Ok(());
                }
                thread::park_timeout(PAUSE.min(left));
                String::new()
            }
            Err(error) => {
                // The client has forgotten by now which broker it was given.
                nowhere = nowhere.or_else(|| client.context().learned(&config.brokers));
                let cause = client.context().summary();
                cause.unwrap_or_else(|| error.to_string())
            }
        };
        let error = fault(config, patience, nowhere.clone(), error);
        outage.failed(&error.cause());
        if left.is_zero() {
            return Err(error);
        }
    }
    Err(KafkaError::Stopped { brokers })
}

/// The error of a wait in which no broker was of use: each sends clients `nowhere`, or none answers for this cause.
fn fault(
    config: &KafkaConfig,
    patience: Duration,
    nowhere: Option<Nowhere>,
    cause: String,
) -> KafkaError {
    if let Some(nowhere) = nowhere {
        return nowhere.error(config);
    }
    let remedy = remedy(&cause, config);
    KafkaError::Unreachable {
        brokers: config.brokers.join(","),
        patience,
        cause,
        remedy,
    }
}

/// What brokers answer to a client that shows no certificate: OpenSSL's words, and those for Java's.
const NO_CERTIFICATE: [&str; 2] = ["certificate required", "alert bad certificate"];

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
        Some(KafkaSsl { client: None, .. })
            if NO_CERTIFICATE.iter().any(|words| cause.contains(words)) =>
        {
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
        false if cause.contains("SASL") || cause.contains(HUNG_UP) => {
            "the brokers demand a password: add the section kafka.sasl with mechanism, username and password"
        }
        true if cause.contains("nsupported SASL mechanism") => {
            "set kafka.sasl.mechanism to one that the brokers offer"
        }
        true if cause.contains("SASL state") || cause.contains(HUNG_UP) => {
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
