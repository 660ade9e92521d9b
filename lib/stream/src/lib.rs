//! Kafka, as webmon uses it: at least once.
//!
//! How a message is read at least once: a [subscription] is a member of a group, and one thread owns its client. The
//! service gets each message with its [position](subscription::Position), which travels with the message to the end
//! and comes back when what became of it is durable. The [ledger](subscription::Ledger) keeps what is open. Each second
//! it says what may be committed of each partition: what is durable and contiguous. After a crash, or when another
//! member takes the partition, all that was not committed is read again. A client that lost its way is replaced.
//!
//! How a batch is published: a [publisher] seals each message, and hands it to librdkafka when there is room. What Kafka
//! answers is counted in the message's [batch](publisher::Batch), which ends when every message is acknowledged. When
//! one fails the batch has failed: the service sends all of it again, with a new producer. So a message may come
//! twice, and none is lost. A message that is too large for the topic fails alone.
//!
//! At its start a service [reaches](reach) Kafka: it waits for a broker and makes the topic where it is missing. Every
//! client has the settings of [`client_config`] and says what fails once, not once per attempt. A message is [sealed](Seal),
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
pub mod subscription;
mod topic;
mod wait;

pub use client::client_config;
pub use error::KafkaError;
pub use limits::TopicLimits;
pub use look::WatchedKafka;
pub use reach::{Reached, reach};
pub use seal::{HEADER, HEADER_BYTES, NoRandomness, Seal, Unsealed, random_key};
pub use topic::{TopicState, ensure_topic, prepare_topic};
pub use wait::wait_for_brokers;

pub(crate) use log::{BrokerLog, Quiet};
pub(crate) use rights::{Act, Lack, lacking_right};
pub(crate) use stranded::{STATISTICS_INTERVAL_MS, Stranded};
pub(crate) use topic::describe;
