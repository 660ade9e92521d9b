//! Kafka of the tests: the brokers and certificates that `WEBMON_TEST_KAFKA_*` name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime::config::Secret;
use stream::config::{ClientCertificate, KafkaConfig, KafkaSasl, KafkaSsl};
use stream::wait_for_brokers;
use tokio_util::sync::CancellationToken;

/// A configuration for these brokers and this topic.
pub(crate) fn config(brokers: &str, topic: &str, ssl: Option<KafkaSsl>) -> KafkaConfig {
    KafkaConfig {
        brokers: brokers.split(',').map(str::to_owned).collect(),
        topic: topic.to_owned(),
        partitions: 3,
        retention: Duration::from_mins(10),
        ssl,
        ..KafkaConfig::plain(Vec::new())
    }
}

/// A section `kafka.ssl` with these files: the authority, the client's certificate and its key.
pub(crate) fn files([ca, certificate, key]: [PathBuf; 3]) -> KafkaSsl {
    KafkaSsl {
        ca: Some(ca),
        client: Some(ClientCertificate {
            certificate,
            key,
            key_password: None,
        }),
    }
}

/// The section `kafka.ssl` with the tests' authority, and nothing that the client shows.
pub(crate) fn without_client() -> KafkaSsl {
    KafkaSsl {
        ca: Some(certificate("ca.pem")),
        client: None,
    }
}

/// A listener of the real broker that takes passwords, over `plain` connections or `tls`; or `tls_open`, which demands
/// neither a password nor a certificate.
pub(crate) fn door(kind: &str) -> String {
    let name = match kind {
        "plain" => "WEBMON_TEST_KAFKA_SASL_BROKERS",
        "tls" => "WEBMON_TEST_KAFKA_SASL_TLS_BROKERS",
        _ => "WEBMON_TEST_KAFKA_OPEN_TLS_BROKERS",
    };
    variable(name, "host:port of a Kafka listener of that kind")
}

/// A password of the real broker's user `webmon`, or another.
pub(crate) fn sasl(mechanism: &'static str, password: Option<&str>) -> KafkaSasl {
    let right = variable(
        "WEBMON_TEST_KAFKA_SASL_PASSWORD",
        "the password of `webmon`",
    );
    KafkaSasl {
        mechanism,
        username: "webmon".to_owned(),
        password: Secret::new(password.unwrap_or(&right)),
    }
}

/// The plain listener of the real broker.
pub(crate) fn plain_brokers() -> String {
    variable(
        "WEBMON_TEST_KAFKA_BROKERS",
        "host:port of a plain Kafka listener",
    )
}

/// The TLS listener of the real broker; it demands a client certificate.
pub(crate) fn tls_brokers() -> String {
    variable(
        "WEBMON_TEST_KAFKA_TLS_BROKERS",
        "host:port of a TLS Kafka listener",
    )
}

/// A file of the tests' certificates.
pub(crate) fn certificate(name: &str) -> PathBuf {
    let folder = variable(
        "WEBMON_TEST_KAFKA_CERTS",
        "a folder with ca.pem, service.cert, service.key, other-ca.pem and other-ca.key",
    );
    Path::new(&folder).join(name)
}

/// The section `kafka.ssl` with this authority.
pub(crate) fn ssl(ca: &str) -> KafkaSsl {
    files([ca, "service.cert", "service.key"].map(certificate))
}

/// A topic name that nothing else uses.
pub(crate) fn fresh_topic(purpose: &str) -> String {
    let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("webmon.runtime.{purpose}.{nanos}")
}

/// A variable of the environment; tests that need it fail without it.
fn variable(name: &str, meaning: &str) -> String {
    let value = std::env::var_os(name);
    value
        .unwrap_or_else(|| panic!("set {name} to {meaning}"))
        .into_string()
        .unwrap()
}

/// Waits a little and in vain.
pub(crate) async fn refusal(config: &KafkaConfig) -> String {
    let stop = CancellationToken::new();
    let patience = Duration::from_secs(2);
    wait_for_brokers(config, patience, &stop)
        .await
        .unwrap_err()
        .to_string()
}
