//! A real broker, and a topic of the test's own on it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

/// How long the broker may take for what a test asks of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A topic that no other test uses. It need not exist: the scheduler makes it.
#[derive(Debug)]
pub struct Topic {
    /// Its name on the broker.
    name: String,
    /// `host:port` of the broker.
    brokers: String,
}

impl Topic {
    /// A name that was never used before.
    pub fn unique(purpose: &str) -> Self {
        Self::on(&brokers(), purpose)
    }

    /// The same, on the broker at this `host:port`.
    pub fn on(brokers: &str, purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.expect("a clock after 1970").as_millis();
        let process = std::process::id();
        Self {
            name: format!("webmon.test.{purpose}.{millis}.{process}.{count}"),
            brokers: brokers.to_owned(),
        }
    }

    /// Its name on the broker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts keyed messages on it, whatever they say, and waits until the broker has them.
    pub fn produce<'a>(&self, messages: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let produced = self.try_produce(messages);
        produced.unwrap_or_else(|error| panic!("cannot send to {}: {error}", self.name));
    }

    /// The same, on a broker that may be away.
    pub fn try_produce<'a>(
        &self,
        messages: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> KafkaResult<()> {
        let producer: BaseProducer = self.client().create()?;
        for (key, message) in messages {
            let record = BaseRecord::to(&self.name).key(key).payload(message);
            producer.send(record).map_err(|(error, _)| error)?;
        }
        producer.flush(PATIENCE)
    }

    /// All messages that are on it now.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let messages = self.try_messages(Offset::Beginning);
        messages.unwrap_or_else(|error| panic!("cannot read {}: {error}", self.name))
    }

    /// The messages from `begin` on of each partition, on a broker that may be away.
    pub fn try_messages(&self, begin: Offset) -> KafkaResult<Vec<Vec<u8>>> {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "webmon-test-reader")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()?;
        let metadata = consumer.fetch_metadata(Some(&self.name), PATIENCE)?;
        let topics = metadata.topics().iter();
        let partitions: Vec<_> = topics.flat_map(MetadataTopic::partitions).collect();
        let mut all = TopicPartitionList::new();
        for partition in &partitions {
            all.add_partition_offset(&self.name, partition.id(), begin)?;
        }
        consumer.assign(&all)?;
        let (mut messages, mut ended) = (Vec::new(), 0);
        while ended < partitions.len() {
            let timed_out = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
            match consumer.poll(PATIENCE).unwrap_or(Err(timed_out)) {
                Ok(message) => messages.extend(message.payload().map(<[u8]>::to_vec)),
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(messages)
    }

    /// Makes it by hand, with settings of its own such as `("max.message.bytes", "8192")`.
    pub async fn create(&self, partitions: i32, settings: &[(&str, &str)]) {
        let admin = self.admin();
        let topic = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        let topic = settings
            .iter()
            .fold(topic, |topic, (key, value)| topic.set(key, value));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let created = admin.create_topics([&topic], &options).await;
        let created = created.expect("an answer to the creation of a topic");
        assert!(created.iter().all(Result::is_ok), "{created:?}");
    }

    /// Gives it these settings, and the defaults of the broker for all others.
    pub async fn alter(&self, settings: &[(&str, &str)]) {
        let change = AlterConfig::new(ResourceSpecifier::Topic(&self.name));
        let change = settings
            .iter()
            .fold(change, |change, (key, value)| change.set(key, value));
        // It must outlive the question: nothing would ever answer that.
        let admin = self.admin();
        let altered = admin.alter_configs([&change], &AdminOptions::new());
        let altered = altered.await.expect("an answer to the change of a topic");
        assert!(altered.iter().all(Result::is_ok), "{altered:?}");
    }

    /// A client that makes and changes topics.
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().expect("a client of the broker")
    }

    /// Deletes it on the broker.
    pub async fn delete(&self) {
        let deleted = self.try_delete().await;
        deleted.unwrap_or_else(|error| panic!("cannot delete {}: {error}", self.name));
    }

    /// The same, on a broker that may be away.
    pub async fn try_delete(&self) -> KafkaResult<()> {
        let admin = self.admin();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        for result in admin.delete_topics(&[&self.name], &options).await? {
            result.map_err(|(_, error)| KafkaError::AdminOp(error))?;
        }
        Ok(())
    }

    /// A client of its broker.
    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// `host:port` of the broker's plain listener.
pub fn brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_BROKERS")
}

/// `host:port` of the broker's TLS listener, which demands a client certificate.
pub fn tls_brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_TLS_BROKERS")
}

/// `host:port` of the broker's listener that takes the password of `webmon`, over TLS.
pub fn sasl_tls_brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_SASL_TLS_BROKERS")
}

/// `host:port` of the broker's TLS listener that demands neither a password nor a certificate.
pub fn open_tls_brokers() -> String {
    crate::service("WEBMON_TEST_KAFKA_OPEN_TLS_BROKERS")
}

/// The password of the broker's user `webmon`.
pub fn sasl_password() -> String {
    crate::service("WEBMON_TEST_KAFKA_SASL_PASSWORD")
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
    /// Waits until no other process holds it.
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
