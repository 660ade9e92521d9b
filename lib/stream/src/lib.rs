//! Kafka, as webmon uses it: at least once.
//!
//! How a batch is published: the [publisher] seals each message and hands it to librdkafka, and waits while there is no
//! room. What Kafka answers is counted in the message's [batch](publisher::Batch), which ends when every message is
//! acknowledged. When one fails, all of the batch has failed: the service takes a new producer and sends all of it
//! again: a message may come twice, and none is lost. A message that is too large for the topic fails
//! alone.
//!
//! At its start a service [reaches](reach) Kafka: it waits for a broker and makes the topic where it is missing. Every
//! client has the settings of [`client_config`] and says what fails through a [`BrokerLog`]. A message is [sealed](Seal),
//! so that its reader knows who wrote it. While the service runs, [readiness](WatchedKafka) looks at the topic and at
//! the brokers that lead it.

mod advertised;
mod causes;
mod client;
pub mod config;
mod error;
mod limits;
mod log;
mod look;
pub mod publisher;
mod reach;
mod rights;
mod seal;
mod stranded;
mod topic;
mod wait;

pub use client::client_config;
pub use error::KafkaError;
pub use limits::TopicLimits;
pub use log::{BrokerLog, Quiet};
pub use look::WatchedKafka;
pub use reach::{Reached, reach};
pub use rights::{Act, Lack, lacking_right};
pub use seal::{HEADER, HEADER_BYTES, NoRandomness, Seal, Unsealed, random_key};
pub use stranded::{STATISTICS_INTERVAL_MS, Stranded};
pub use topic::{TopicState, describe, ensure_topic, prepare_topic};
pub use wait::wait_for_brokers;
