//! How a service of webmon runs: what scheduler and checker would otherwise both have to know.

pub mod backlog;
pub mod cgroup;
pub mod clock;
pub mod config;
pub mod database;
pub mod descriptors;
pub mod installation;
pub mod kafka;
pub mod program;
pub mod quota;
mod readiness;
pub mod reload;
pub mod retry;
pub mod service;
pub mod shards;
pub mod shutdown;
pub mod sql;
pub mod telemetry;
pub mod writable;
pub mod yaml;
