//! The real broker, and a topic of the test's own on it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

/// How long the broker may take for what a test asks of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A topic that no other test uses. It need not exist: the scheduler makes it.
#[derive(Debug)]
pub struct Topic {
    /// Its name on the broker.
    name: String,
}

impl Topic {
    /// A name that was never used before.
    pub fn unique(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.expect("a clock after 1970").as_millis();
        let process = std::process::id();
        Self {
            name: format!("webmon.test.{purpose}.{millis}.{process}.{count}"),
        }
    }

    /// Its name on the broker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts keyed messages on it, whatever they say, and waits until the broker has them.
    pub fn produce<'a>(&self, messages: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let producer: BaseProducer = client().create().expect("a producer");
        for (key, message) in messages {
            let record = BaseRecord::to(&self.name).key(key).payload(message);
            if let Err((error, _)) = producer.send(record) {
                panic!("cannot send to {}: {error}", self.name);
            }
        }
        producer
            .flush(PATIENCE)
            .expect("the broker takes the messages");
    }

    /// All messages that are on it now.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let consumer: BaseConsumer = client()
            .set("group.id", "webmon-test-reader")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()
            .expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(&self.name), PATIENCE);
        let metadata = metadata.expect("the broker knows the topic");
        let topic = metadata.topics().first().expect("the topic");
        let partitions = topic.partitions();
        let mut all = TopicPartitionList::new();
        for partition in partitions {
            let begin = Offset::Beginning;
            all.add_partition_offset(&self.name, partition.id(), begin)
                .expect("an offset");
        }
        consumer.assign(&all).expect("partitions to read");
        let (mut messages, mut ended) = (Vec::new(), 0);
        while ended < partitions.len() {
            match consumer.poll(PATIENCE).expect("the broker answers") {
                Ok(message) => messages.extend(message.payload().map(<[u8]>::to_vec)),
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("cannot read {}: {error}", self.name),
            }
        }
        messages
    }

    /// Deletes it on the broker.
    pub async fn delete(&self) {
        let admin: AdminClient<DefaultClientContext> = client().create().expect("a client");
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let deleted = admin.delete_topics(&[&self.name], &options).await;
        for result in deleted.expect("the broker answers") {
            result.unwrap_or_else(|(name, error)| panic!("cannot delete {name}: {error}"));
        }
    }
}

/// A client of the plain listener.
fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    config
}

/// `host:port` of the broker's plain listener.
pub fn brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_BROKERS")
}

/// `host:port` of the broker's TLS listener, which demands a client certificate.
pub fn tls_brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_TLS_BROKERS")
}

/// A file of the folder with `ca.pem`, `service.cert`, `service.key` and `other-ca.pem`.
pub fn certificate(file: &str) -> PathBuf {
    let folder = crate::service("WEBMON_TEST_KAFKA_CERTS");
    Path::new(&folder).join(file)
}

/// While one of these is held, no other test on this machine runs checkers on the same broker.
///
/// All checkers of a broker are one consumer group, whatever their topics; one that comes or goes
/// makes the others rebalance.
#[derive(Debug)]
pub struct Calm {
    /// Locked until it is closed, also when the test crashes.
    _lock: File,
}

impl Calm {
    /// Waits until nobody else holds it.
    pub async fn hold() -> Self {
        let broker = brokers().replace(|char: char| !char.is_ascii_alphanumeric(), "-");
        let path = std::env::temp_dir().join(format!("webmon-test-{broker}.lock"));
        let file = File::create(&path).expect("a lock file in the temporary folder");
        let locking = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let lock = locking.await.expect("a thread to wait on");
        Self {
            _lock: lock.expect("a lock on the lock file"),
        }
    }
}
