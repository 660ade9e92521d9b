//! Upkeep: what keeps the tables in order, beside the turns.
//!
//! - [`days`] makes the partitions of `check_result`, a day each, ahead of time, and drops those that are older than
//!   the retention. Beside that it watches that each shard has its [row](shard_rows).
//! - [`pack`] writes the index of each finished day anew, so that it takes less room.
//! - [`reconcile`] records what was lost: due instants with neither a result nor a gap.
//!
//! All of them look at the tables and do what is left to do, so any number of schedulers may do it.

pub mod days;
mod owner;
pub mod pack;
pub mod reconcile;
pub(crate) mod shard_rows;
