//! How a service of webmon runs: what scheduler and checker would otherwise both have to know.
//!
//! - **The process**: a [`program`] reads its command line and [configuration](config), says what it does
//!   ([`telemetry`]) and ends with an exit code ([`shutdown`]).
//! - **The service** in it: what it is given, and how it is hosted ([`service`]); its [`broker`]; which [`conditions`]
//!   must hold before it is ready, and the watch over what it depends on ([`readiness`]); SIGHUP ([`reload`]).
//! - **Tools** for every stage: the one [`clock`], trying again ([`retry`]), lines by the minute ([`quota`]), and the
//!   limits of this machine ([`cgroup`], [`descriptors`]).
//!
//! It knows neither `PostgreSQL` nor Kafka: `store` and `stream` do, and stand on this crate.

pub mod broker;
pub mod cgroup;
pub mod clock;
pub mod conditions;
pub mod config;
pub mod descriptors;
pub mod periodic;
pub mod program;
pub mod quota;
pub mod readiness;
pub mod reload;
pub mod retry;
pub mod service;
pub mod shutdown;
pub mod telemetry;
pub mod yaml;
