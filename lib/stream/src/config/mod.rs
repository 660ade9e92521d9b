//! `kafka`: where the tasks go.

mod brokers;
mod changes;
mod sasl;
mod ssl;

use std::time::Duration;

use brokers::valid_brokers;
use contract::CHECKER_GROUP;
use runtime::config::{Document, Limits, Scalar, Secret};
pub use sasl::KafkaSasl;
use sasl::RawSasl;
use serde::{Deserialize, Deserializer};
use ssl::RawSsl;
pub use ssl::{ClientCertificate, KafkaSsl};
use tracing::{info, warn};

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
/// `kafka.replication` that leaves it to the brokers.
const BROKERS_CHOICE: i64 = -1;
/// `kafka.compression`, unless the file says otherwise.
const LZ4: &str = "lz4";
/// `kafka.retention`; no task lives longer than a day, and Kafka looks only every five minutes.
const RETENTION: Limits<Duration> = Limits {
    default: Duration::from_hours(6),
    allowed: Duration::from_mins(5)..=Duration::from_hours(24 * 365),
};
/// The shortest `kafka.key`, in characters.
const LEAST_KEY_CHARS: usize = 32;

/// `kafka`: where the tasks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `kafka.brokers`: `host:port` each.
    pub brokers: Vec<String>,
    /// `kafka.topic`.
    pub topic: String,
    /// `kafka.partitions`: how many a new topic gets.
    pub partitions: i32,
    /// `kafka.replication`: of a new topic; -1 leaves it to the brokers.
    pub replication: i32,
    /// `kafka.retention`: of a new topic.
    pub retention: Duration,
    /// `kafka.compression`: of the tasks, `lz4` or `none`, for brokers that take no lz4.
    pub compression: &'static str,
    /// `kafka.group`: the consumer group of the checkers.
    pub group: String,
    /// `kafka.key`: with it each message has a header that shows who wrote it.
    pub key: Option<Secret>,
    /// `kafka.previous_key`: believed as well, until all have the new one.
    pub previous_key: Option<Secret>,
    /// `kafka.ssl`: TLS; without the section Kafka is plain.
    pub ssl: Option<KafkaSsl>,
    /// `kafka.sasl`: a password; without the section there is none.
    pub sasl: Option<KafkaSasl>,
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
    /// `kafka.compression`.
    compression: Option<String>,
    /// `kafka.group`.
    group: Option<String>,
    /// `kafka.key`.
    key: Option<String>,
    /// `kafka.previous_key`.
    previous_key: Option<String>,
    /// `kafka.ssl`: there and empty, it means TLS with the default files.
    #[serde(default, deserialize_with = "there")]
    ssl: Option<RawSsl>,
    /// `kafka.sasl`: empty, it means none.
    sasl: Option<RawSasl>,
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
            compression: LZ4,
            group: CHECKER_GROUP.to_owned(),
            key: None,
            previous_key: None,
            ssl: None,
            sasl: None,
        }
    }

    /// Takes the section `kafka`, which must be there.
    pub fn take(document: &mut Document) -> Option<Self> {
        let raw: RawKafka = document.take("kafka")?;
        let brokers = valid_brokers(document, raw.brokers);
        let topic = document.check("kafka.topic", valid_topic(raw.topic));
        let partitions = document.check("kafka.partitions", PARTITIONS.number(raw.partitions));
        let replication = document.check("kafka.replication", valid_replication(raw.replication));
        let retention = document.check("kafka.retention", RETENTION.duration(raw.retention));
        let compression = document.check("kafka.compression", valid_compression(raw.compression));
        let group = document.check("kafka.group", valid_group(raw.group));
        let key = document.check("kafka.key", valid_key(raw.key));
        let previous_key = valid_previous(raw.previous_key, matches!(key, Some(None)));
        let previous_key = document.check("kafka.previous_key", previous_key);
        let tls = match raw.ssl {
            Some(raw) => KafkaSsl::valid(document, &raw).map(Some),
            None => Some(None),
        };
        let password = match raw.sasl {
            Some(raw) if raw != RawSasl::default() => KafkaSasl::valid(document, raw).map(Some),
            _ => Some(None),
        };
        Some(Self {
            brokers: brokers?,
            topic: topic?,
            partitions: partitions?,
            replication: replication?,
            retention: retention?,
            compression: compression?,
            group: group?,
            key: key?,
            previous_key: previous_key?,
            ssl: tls?,
            sasl: password?,
        })
    }

    /// Says how Kafka is reached, and what is wrong with that though it works.
    pub fn tell(&self) {
        info!(kafka.access = %self, "how Kafka is reached");
        let shown = self.sasl.as_ref().is_some_and(KafkaSasl::shows_password);
        if shown && self.ssl.is_none() {
            warn!(
                "kafka.sasl.mechanism PLAIN without kafka.ssl sends the password unencrypted: add the section \
                 kafka.ssl, or use SCRAM-SHA-512"
            );
        }
    }
}

/// Letters, digits and what else Kafka takes in a name.
fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=MAX_TOPIC_BYTES).contains(&text.len()) && text.chars().all(legal)
}

/// How tasks are compressed.
fn valid_compression(raw: Option<String>) -> Result<&'static str, String> {
    let Some(written) = raw else {
        return Ok(LZ4);
    };
    let known = [LZ4, "none"].into_iter().find(|known| *known == written);
    known.ok_or_else(|| "must be `lz4` or `none`".to_owned())
}

/// A name for the group of the checkers. Kafka takes any; these need no quotes anywhere.
fn valid_group(raw: Option<String>) -> Result<String, String> {
    let group = raw.unwrap_or_else(|| CHECKER_GROUP.to_owned());
    if is_name(&group) {
        return Ok(group);
    }
    Err(format!(
        "must be 1 to {MAX_TOPIC_BYTES} of `a-z`, `A-Z`, `0-9`, `.`, `_`, `-`"
    ))
}

/// How many brokers keep a new topic; -1 leaves it to them.
fn valid_replication(raw: Option<i64>) -> Result<i32, String> {
    if raw == Some(BROKERS_CHOICE) {
        return Ok(-1);
    }
    let checked = REPLICATION.number(raw);
    checked.map_err(|message| format!("{message}, or {BROKERS_CHOICE} for the brokers' default"))
}

/// A name that Kafka takes for a topic.
fn valid_topic(raw: Option<String>) -> Result<String, String> {
    let topic = raw.unwrap_or_else(|| DEFAULT_TOPIC.to_owned());
    if is_name(&topic) && topic != "." && topic != ".." {
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

/// Shows how Kafka is reached, for `check-config`.
impl std::fmt::Display for KafkaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.ssl {
            Some(ssl) => write!(f, "{ssl}")?,
            None => f.write_str("plain")?,
        }
        match &self.sasl {
            Some(sasl) => write!(f, ", {} as {}", sasl.mechanism, sasl.username)?,
            None => f.write_str(", no password")?,
        }
        match self.key {
            Some(_) => f.write_str(", messages signed (kafka.key)"),
            None => f.write_str(", messages not signed"),
        }
    }
}
