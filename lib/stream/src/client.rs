//! What all clients of Kafka have in common: brokers, patience with the network, TLS and passwords.

use std::path::Path;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::config::{ClientCertificate, KafkaConfig, KafkaSasl, KafkaSsl};
use crate::error::KafkaError;

/// What all clients of a configuration have in common; `client_id` is how brokers' logs call this one.
///
/// Create clients from it with a context that takes its `log` and `error`.
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
pub(crate) fn client_error(config: &KafkaConfig, error: &rdkafka::error::KafkaError) -> KafkaError {
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
