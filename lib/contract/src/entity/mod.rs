//! The tables of webmon as sea-orm entities.

pub mod check_result;
pub mod schedule_gap;
pub mod schedule_shard;
pub mod site;
