//! How a service of webmon runs: what scheduler and checker would otherwise both have to know.

pub mod broker;
pub mod cgroup;
pub mod clock;
pub mod conditions;
pub mod config;
pub mod descriptors;
pub mod program;
pub mod quota;
pub mod readiness;
pub mod reload;
pub mod retry;
pub mod service;
pub mod shutdown;
pub mod telemetry;
pub mod yaml;
