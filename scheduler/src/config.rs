//! The scheduler's configuration.

use std::time::Duration;

use runtime::config::{DatabaseConfig, HttpConfig, KafkaConfig, LogConfig};

/// What a scheduler needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the sites are.
    pub database: DatabaseConfig,
    /// Where the tasks go.
    pub kafka: KafkaConfig,
    /// Metrics and health.
    pub http: HttpConfig,
    /// What is said on standard error.
    pub log: LogConfig,
    /// How far ahead tasks are produced; the same for all schedulers of a database.
    pub horizon: Duration,
    /// The time between two turns.
    pub turn: Duration,
    /// How long results and gaps are kept.
    pub retention: Duration,
}
