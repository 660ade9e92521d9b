//! The `webmon` program: everything in one process, and the commands people use.
//!
//! [`up`](mod@up) runs the very same scheduler and checker that run on a cluster, on an embedded
//! [broker] and a [`PostgreSQL` of its own](postgres) unless the [configuration](config) names others,
//! and shows what it [sees](watch). The commands work on the same [data].

pub mod audit;
pub mod backup;
pub mod broker;
pub mod cli;
pub mod config;
pub mod data;
mod folder;
pub mod identity;
pub mod lock;
pub mod postgres;
pub mod repair;
mod roster;
pub mod status;
mod table;
pub mod up;
pub mod upgrade;
pub mod watch;
