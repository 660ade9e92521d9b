//! How a service of webmon runs: what scheduler and checker would otherwise both have to know.

pub mod backlog;
pub mod cgroup;
pub mod clock;
pub mod conditions;
pub mod config;
pub mod database;
pub mod descriptors;
pub mod installation;
pub mod look;
pub mod program;
pub mod quota;
pub mod reach;
pub mod readiness;
pub mod reload;
pub mod retry;
pub mod service;
pub mod shards;
pub mod shutdown;
pub mod sql;
pub mod telemetry;
pub mod writable;
pub mod yaml;
