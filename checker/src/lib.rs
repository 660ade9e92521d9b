//! The path of a check, second half: from a task on Kafka to a row of `check_result`.

pub mod config;
pub mod probe;
