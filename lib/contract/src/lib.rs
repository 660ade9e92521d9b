//! What the services of webmon agree on: pure data, no I/O.
//!
//! A [site] is due at [instants](schedule) that follow from its name and interval. For each of
//! them the scheduler sends one [task] to a checker, and the checker stores one
//! [result], whose verdict is an [outcome and a reason](outcome).
//!
//! One site at one due instant is a [check]. [Instants](instant) count from the Unix epoch on the database's
//! clock.

pub mod check;
pub mod decimal;
pub mod installation;
pub mod instant;
pub mod json_cursor;
pub mod outcome;
pub mod passwords;
pub mod result;
pub mod schedule;
pub mod site;
pub mod task;
pub mod text;
pub mod trace;

use std::time::Duration;

/// Rows of `schedule_shard`: the unit in which schedulers share the sites.
pub const SHARDS: i16 = 64;

/// How long after its expiry a task belongs to the checker that reads it; after that the
/// scheduler may record it as lost.
pub const GRACE: Duration = Duration::from_mins(1);

/// The consumer group of all checkers.
pub const CHECKER_GROUP: &str = "webmon-checker";
