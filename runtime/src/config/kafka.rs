//! `kafka`: where the tasks go.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::document::Document;
use super::limits::Limits;
use super::node::Scalar;
use super::secret::Secret;
use super::surroundings::open;

/// `kafka.topic`, unless the file says otherwise.
const DEFAULT_TOPIC: &str = "webmon.tasks";
/// The longest name of a topic: Kafka makes folders of them.
const MAX_TOPIC_BYTES: usize = 249;
/// `kafka.partitions`; the most are what a broker carries of one topic without trouble.
const PARTITIONS: Limits<i32> = Limits {
    default: 32,
    allowed: 1..=4_096,
};
/// `kafka.replication`; no cluster of ours has more brokers than that.
const REPLICATION: Limits<i32> = Limits {
    default: 1,
    allowed: 1..=16,
};
/// `kafka.retention`; no task lives longer than a day, and Kafka looks only every five minutes.
const RETENTION: Limits<Duration> = Limits {
    default: Duration::from_hours(6),
    allowed: Duration::from_mins(5)..=Duration::from_hours(24 * 365),
};
/// The shortest `kafka.key`, in characters.
const LEAST_KEY_CHARS: usize = 32;
/// `kafka.ssl.ca`, unless the file says otherwise.
const DEFAULT_CA: &str = "certs/kafka/ca.pem";
/// `kafka.ssl.certificate`, unless the file says otherwise.
const DEFAULT_CERTIFICATE: &str = "certs/kafka/service.cert";
/// `kafka.ssl.key`, unless the file says otherwise.
const DEFAULT_KEY: &str = "certs/kafka/service.key";

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
    /// `kafka.key`: with it each message has a header that shows who wrote it.
    pub key: Option<Secret>,
    /// `kafka.previous_key`: believed as well, until all have the new one.
    pub previous_key: Option<Secret>,
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

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKafka {
    /// `kafka.brokers`.
    brokers: Option<Vec<String>>,
    /// `kafka.topic`.
    topic: Option<String>,
    /// `kafka.partitions`.
    partitions: Option<i64>,
    /// `kafka.replication`.
    replication: Option<i64>,
    /// `kafka.retention`.
    retention: Option<Scalar>,
    /// `kafka.key`.
    key: Option<String>,
    /// `kafka.previous_key`.
    previous_key: Option<String>,
    /// `kafka.ssl`: there and empty, it means TLS with the default files.
    #[serde(default, deserialize_with = "there")]
    ssl: Option<RawSsl>,
}

/// The section `kafka.ssl` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSsl {
    /// `kafka.ssl.ca`.
    ca: Option<String>,
    /// `kafka.ssl.certificate`.
    certificate: Option<String>,
    /// `kafka.ssl.key`.
    key: Option<String>,
}

/// A section whose presence says something, even when it is empty.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawSsl>, D::Error> {
    Option::deserialize(deserializer)
        .map(Option::unwrap_or_default)
        .map(Some)
}

impl KafkaConfig {
    /// Plain Kafka at `brokers`, everything else by default.
    pub fn plain(brokers: Vec<String>) -> Self {
        Self {
            brokers,
            topic: DEFAULT_TOPIC.to_owned(),
            partitions: PARTITIONS.default,
            replication: REPLICATION.default,
            retention: RETENTION.default,
            key: None,
            previous_key: None,
            ssl: None,
        }
    }

    /// Takes the section `kafka`, which must be there.
    pub fn take(document: &mut Document) -> Option<Self> {
        let raw: RawKafka = document.take("kafka")?;
        let brokers = valid_brokers(document, raw.brokers);
        let topic = document.check("kafka.topic", valid_topic(raw.topic));
        let partitions = document.check("kafka.partitions", PARTITIONS.number(raw.partitions));
        let replication = document.check("kafka.replication", REPLICATION.number(raw.replication));
        let retention = document.check("kafka.retention", RETENTION.duration(raw.retention));
        let key = document.check("kafka.key", valid_key(raw.key));
        let previous_key = valid_previous(raw.previous_key, matches!(key, Some(None)));
        let previous_key = document.check("kafka.previous_key", previous_key);
        let ssl = match raw.ssl {
            Some(raw) => valid_ssl(document, raw).map(Some),
            None => Some(None),
        };
        Some(Self {
            brokers: brokers?,
            topic: topic?,
            partitions: partitions?,
            replication: replication?,
            retention: retention?,
            key: key?,
            previous_key: previous_key?,
            ssl: ssl?,
        })
    }
}

/// At least one broker, each `host:port`.
fn valid_brokers(document: &mut Document, raw: Option<Vec<String>>) -> Option<Vec<String>> {
    let brokers = raw.unwrap_or_default();
    if brokers.is_empty() {
        document.fault(
            "kafka.brokers",
            "missing: list at least one broker, as `- host:9092`",
        );
        return None;
    }
    let mut valid = true;
    for (index, _) in brokers
        .iter()
        .enumerate()
        .filter(|(_, broker)| !is_broker(broker))
    {
        let message = "must be one `host:port` like `kafka-1:9092` or `[::1]:9092`";
        document.fault(format!("kafka.brokers[{index}]"), message);
        valid = false;
    }
    valid.then_some(brokers)
}

/// Whether this is `host:port`. An IPv6 address needs its brackets.
fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_is_right = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    let digits = port.chars().all(|c| c.is_ascii_digit());
    host_is_right && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A name that Kafka takes for a topic.
fn valid_topic(raw: Option<String>) -> Result<String, String> {
    let topic = raw.unwrap_or_else(|| DEFAULT_TOPIC.to_owned());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=MAX_TOPIC_BYTES).contains(&topic.len());
    if fits && topic.chars().all(legal) && topic != "." && topic != ".." {
        return Ok(topic);
    }
    Err(format!(
        "must be 1 to {MAX_TOPIC_BYTES} of `a-z`, `A-Z`, `0-9`, `.`, `_`, `-`, and not `.` or `..`"
    ))
}

/// A key that cannot be guessed. No message shows any of it.
fn valid_key(raw: Option<String>) -> Result<Option<Secret>, String> {
    let Some(key) = raw else {
        return Ok(None);
    };
    if key.chars().count() < LEAST_KEY_CHARS {
        return Err(format!(
            "must be at least {LEAST_KEY_CHARS} characters: make one with `openssl rand -hex 32`"
        ));
    }
    Ok(Some(Secret::new(key)))
}

/// The key of before, which says nothing where there is none now.
fn valid_previous(raw: Option<String>, alone: bool) -> Result<Option<Secret>, String> {
    if alone && raw.is_some() {
        return Err("is there without `kafka.key`: set the new key as well".to_owned());
    }
    valid_key(raw)
}

/// Three files that can be read.
fn valid_ssl(document: &mut Document, raw: RawSsl) -> Option<KafkaSsl> {
    let RawSsl {
        ca,
        certificate,
        key,
    } = raw;
    let ca = valid_file(document, "kafka.ssl.ca", ca.as_deref(), DEFAULT_CA);
    let certificate = certificate.as_deref();
    let certificate = valid_file(
        document,
        "kafka.ssl.certificate",
        certificate,
        DEFAULT_CERTIFICATE,
    );
    let key = valid_file(document, "kafka.ssl.key", key.as_deref(), DEFAULT_KEY);
    Some(KafkaSsl {
        ca: ca?,
        certificate: certificate?,
        key: key?,
    })
}

/// A file that can be read now: librdkafka would only say so much later, and less clearly.
fn valid_file(
    document: &mut Document,
    key: &str,
    raw: Option<&str>,
    default: &str,
) -> Option<PathBuf> {
    let path = document.surroundings().locate(raw.unwrap_or(default));
    let checked = match open(&path) {
        Ok(_) => Ok(path),
        Err(problem) => Err(format!(
            "{problem}: put the PEM file there, name another one, or delete the `ssl` section \
             for plain Kafka (relative paths start at the working directory)"
        )),
    };
    document.check(key, checked)
}
