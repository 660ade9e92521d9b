//! The `webmon` program: everything in one process, and the commands people use.
//!
//! [`up`](mod@up) runs the very same scheduler and checker that run on a cluster, on an embedded
//! [broker] and a [`PostgreSQL` of its own](postgres) unless the [configuration](config) names others,
//! and shows their verdicts. The [commands] work on the same [database].

pub mod broker;
pub mod cli;
pub mod commands;
pub mod config;
pub mod data_folder;
pub mod database;
pub mod lock;
pub mod postgres;
pub mod up;
