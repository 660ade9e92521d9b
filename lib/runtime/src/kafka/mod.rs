//! How a service reaches Kafka: the client's settings, patience at start, and the topic of the tasks.

mod advertised;
mod causes;
mod limits;
mod log;
pub(crate) mod look;
mod rights;
mod seal;
mod stranded;
mod topic;
mod wait;

use std::path::Path;
use std::time::Duration;

pub(crate) use causes::Causes;
pub use limits::TopicLimits;
pub use log::{BrokerLog, Quiet};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
pub use rights::{Act, Lack, lacking_right};
pub use seal::{HEADER, HEADER_BYTES, NoRandomness, Seal, Unsealed, random_key};
pub use stranded::{STATISTICS_INTERVAL_MS, Stranded};
pub use topic::{TopicState, describe, ensure_topic, prepare_topic};
pub use wait::wait_for_brokers;

use crate::config::{ClientCertificate, KafkaConfig, KafkaSasl, KafkaSsl};

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
    fn cause(&self) -> String {
        match self {
            Self::Unreachable { cause, .. } => cause.clone(),
            other => other.to_string(),
        }
    }
}

/// What all clients of a configuration have in common; `client_id` is how brokers' logs call this one.
///
/// Create clients from it with a context that hands `log` and `error` to a [`BrokerLog`].
pub fn client_config(config: &KafkaConfig, client_id: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", config.brokers.join(","))
        .set("client.id", client_id)
        // A recreated topic would else be noticed after five minutes.
        .set("topic.metadata.refresh.interval.ms", "5000")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.connection.setup.timeout.ms", "5000")
        .set("socket.keepalive.enable", "true")
        // A connection whose other end has vanished would else be noticed after a minute: as long as
        // checks may be late at all.
        .set("socket.timeout.ms", "10000")
        .set_log_level(RDKafkaLogLevel::Info);
    secure(&mut client, config);
    client
}

/// TLS and passwords, as far as they are configured.
fn secure(client: &mut ClientConfig, config: &KafkaConfig) {
    let protocol = match (&config.ssl, &config.sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    client.set("security.protocol", protocol);
    if let Some(KafkaSsl { ca, client: shown }) = &config.ssl {
        // Where this is not set, librdkafka trusts what its OpenSSL was built with, which may be nothing.
        let authorities = ca.as_ref().map(|ca| ca.to_string_lossy());
        client.set("ssl.ca.location", authorities.as_deref().unwrap_or("probe"));
        if let Some(ClientCertificate {
            certificate,
            key,
            key_password,
        }) = shown
        {
            client
                .set("ssl.certificate.location", certificate.to_string_lossy())
                .set("ssl.key.location", key.to_string_lossy());
            if let Some(password) = key_password {
                client.set("ssl.key.password", password.expose());
            }
        }
    }
    if let Some(KafkaSasl {
        mechanism,
        username,
        password,
    }) = &config.sasl
    {
        client
            .set("sasl.mechanisms", *mechanism)
            .set("sasl.username", username)
            .set("sasl.password", password.expose());
    }
}

/// librdkafka refused to make a client: says which file it could not read, if that was it.
fn client_error(config: &KafkaConfig, error: &rdkafka::error::KafkaError) -> KafkaError {
    let (cause, remedy) = unreadable_file(config.ssl.as_ref()).unwrap_or_else(|| {
        let remedy = refused_remedy(config.ssl.as_ref());
        (error.to_string(), remedy.to_owned())
    });
    KafkaError::Client {
        brokers: config.brokers.join(","),
        cause,
        remedy,
    }
}

/// What would help when librdkafka refuses the settings.
fn refused_remedy(ssl: Option<&KafkaSsl>) -> &'static str {
    match ssl {
        None => "check kafka.brokers",
        Some(KafkaSsl { client: None, .. }) => "check that kafka.ssl.ca is a PEM file",
        Some(KafkaSsl {
            client: Some(client),
            ..
        }) if client.is_encrypted() => {
            "kafka.ssl.key is encrypted: set kafka.ssl.key_password to its password"
        }
        Some(_) => {
            "check that kafka.ssl.ca, kafka.ssl.certificate and kafka.ssl.key are PEM files and belong together"
        }
    }
}

/// The first file of `kafka.ssl` that cannot be read: why, and what would help.
fn unreadable_file(ssl: Option<&KafkaSsl>) -> Option<(String, String)> {
    let KafkaSsl { ca, client } = ssl?;
    let files: [(&str, Option<&Path>); 3] = [
        ("ca", ca.as_deref()),
        (
            "certificate",
            client.as_ref().map(|client| client.certificate.as_path()),
        ),
        ("key", client.as_ref().map(|client| client.key.as_path())),
    ];
    files.into_iter().find_map(|(name, path)| {
        let path = path?;
        let error = std::fs::read(path).err()?;
        let cause = format!("cannot read {}: {error}", path.display());
        let remedy = format!(
            "put the PEM file there, correct kafka.ssl.{name}, or delete the section kafka.ssl for plain Kafka"
        );
        Some((cause, remedy))
    })
}
