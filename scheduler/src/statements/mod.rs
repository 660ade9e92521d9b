//! The statements of a scheduler, a module for each table: their SQL, their values, and the rows that they return.
//!
//! The tables are described by their entities in [`store`]; when a statement runs, and what its result means, is
//! said where it is used.

pub(crate) mod check_result;
pub(crate) mod days;
pub(crate) mod schedule_gap;
pub(crate) mod schedule_shard;
pub(crate) mod site;
