//! The embedded broker: librdkafka's own mock cluster, in this process.
//!
//! It forgets everything when the process ends, and keeps at most 5 MiB of a partition, dropping the
//! oldest tasks without a word (`rdkafka_mock.c`). So nothing is ever sent that would not fit: what was
//! sent and not read yet stays below the bound of a single partition, even if all of it were there.
//!
//! It asks its clients for no password. So each message shows by a header that this process wrote it.

use std::{fmt, sync::Arc};

use color_eyre::eyre::{Result, WrapErr as _};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use runtime::{
    broker::{Broker, BrokerMemory},
    config::Secret,
};
use stream::{config::KafkaConfig, random_key};

/// One checker reads them all: a few suffice, and each costs memory.
const PARTITIONS: i32 = 4;
/// What may be sent and not read yet, in bytes: about 10,000 small tasks.
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// A running broker; it ends when this is dropped.
pub struct EmbeddedBroker {
    /// librdkafka's cluster of one broker, which listens on loopback.
    cluster: MockCluster<'static, DefaultProducerContext>,
    /// What was sent and not read yet.
    memory: Arc<BrokerMemory>,
    /// The key of this process's messages, as any local user reaches the broker.
    key: Secret,
}

impl EmbeddedBroker {
    /// Starts a broker.
    pub fn start() -> Result<Self> {
        let cluster = MockCluster::new(1).wrap_err("start the embedded broker")?;
        Ok(Self {
            cluster,
            memory: Arc::new(BrokerMemory::new(MOST_UNREAD)),
            key: random_key().wrap_err("make a key for the embedded broker")?,
        })
    }

    /// How to reach it; its topic is there.
    pub fn config(&self) -> Result<KafkaConfig> {
        let mut config = KafkaConfig::plain(vec![self.cluster.bootstrap_servers()]);
        config.partitions = PARTITIONS;
        config.key = Some(self.key.clone());
        self.cluster
            .create_topic(&config.topic, config.partitions, config.replication)
            .wrap_err("create the topic on the embedded broker")?;
        Ok(config)
    }

    /// The broker as scheduler and checker know it.
    pub fn broker(&self) -> Broker {
        Broker::Embedded(Arc::clone(&self.memory))
    }

    /// What scheduler and checker count together so that nothing is dropped.
    pub fn memory(&self) -> &BrokerMemory {
        &self.memory
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("brokers", &self.cluster.bootstrap_servers())
            .finish_non_exhaustive()
    }
}
