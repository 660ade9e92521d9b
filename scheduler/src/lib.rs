//! The path of a check, first half: from a row of `site` to a task on Kafka.

pub mod config;
