//! `PostgreSQL`, as webmon uses it.
//!
//! - **Reaching it**: [`config`] says where it is; [`connect`](connect()) opens a [`Pool`], and a [`Link`] makes its
//!   connections anew after a failure. A service [reaches](reach()) a database at this build's [schema](check_schema)
//!   that is [writable] and no copy of another, and readiness [looks](WatchedDatabase) at it from then on. Its
//!   [time](DatabaseTime) is what the clock of all services follows. A command needs a certain [access].
//! - **The tables**, a module each: [`site`], [`schedule_shard`], [`schedule_gap`], [`check_result`] and its partitions,
//!   the [`days`]; and [`installation`], the identity of the database. A module has the table's sea-orm entity, its
//!   statements and the rows that they return. When a statement runs, and what its result means, is said by the
//!   service that runs it. What is asked of the server itself stands in [`session`] and in [`schema`].
//! - **What an answer means**: [`sqlstate`] says it of a code, [`DatabaseError`] and [`explain`] of an error. What
//!   statements written by hand have in common is in [`sql`].

pub mod access;
pub mod check_result;
pub mod config;
mod connect;
pub mod days;
mod error;
pub mod installation;
mod link;
mod look;
mod named;
mod reach;
pub mod schedule_gap;
pub mod schedule_shard;
pub mod schema;
pub mod session;
pub mod site;
pub mod sql;
mod time;
pub mod writable;

pub use connect::{Pool, READ_ONLY, connect, connect_patiently};
pub use error::{DatabaseError, explain};
pub use link::Link;
pub use look::WatchedDatabase;
pub use named::{Named, NamedValue};
pub use postgres_address::sqlstate;
pub use reach::{Reached, reach};
pub use schema::{SCHEMA_VERSION, check_schema};
pub use time::DatabaseTime;
