//! The checker's configuration.

use std::time::Duration;

use ipnet::IpNet;
use runtime::config::{DatabaseConfig, HttpConfig, KafkaConfig, LogConfig};

/// What a checker needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the results go.
    pub database: DatabaseConfig,
    /// Where the tasks come from.
    pub kafka: KafkaConfig,
    /// Metrics and health.
    pub http: HttpConfig,
    /// What is said on standard error.
    pub log: LogConfig,
    /// How many checks run at once; a multiple of 32.
    pub slots: usize,
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// The most bytes of a body that are read.
    pub body_limit: u64,
    /// The time for a stop.
    pub drain: Duration,
}

/// `addresses`: exceptions from "public addresses only".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Dialled although they are not public.
    pub allow: Vec<IpNet>,
    /// Not dialled, whatever else says so.
    pub deny: Vec<IpNet>,
}
