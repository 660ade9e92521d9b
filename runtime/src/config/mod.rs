//! Configuration: YAML on disk → raw values → valid ones. The only reader of files and environment.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `database`: where `PostgreSQL` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// `database.url`: `postgres://user:password@host:port/name`.
    pub url: Secret,
}

/// `kafka`: where the tasks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `kafka.brokers`: `host:port` each.
    pub brokers: Vec<String>,
    /// `kafka.topic`.
    pub topic: String,
    /// `kafka.partitions`: how many a new topic gets.
    pub partitions: i32,
    /// `kafka.replication`: of a new topic.
    pub replication: i32,
    /// `kafka.retention`: of a new topic.
    pub retention: Duration,
    /// `kafka.ssl`: certificates; without the section Kafka is plain.
    pub ssl: Option<KafkaSsl>,
}

/// `kafka.ssl`: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSsl {
    /// `kafka.ssl.ca`: who signs the brokers' certificates.
    pub ca: PathBuf,
    /// `kafka.ssl.certificate`: of this service.
    pub certificate: PathBuf,
    /// `kafka.ssl.key`: of this service.
    pub key: PathBuf,
}

/// `http`: metrics and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// `http.listen`.
    pub listen: SocketAddr,
}

/// `log`: what is said on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.format`.
    pub format: LogFormat,
    /// `log.filter`: as `RUST_LOG` would say it.
    pub filter: String,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}
