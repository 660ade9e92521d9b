//! The scheduler on a real PostgreSQL and a real Kafka.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

mod ahead;
mod bed;
mod changes;
mod cli;
mod days;
mod downtime;
mod interrupted;
mod law;
mod one_bad_row;
mod pack;
mod readiness;
mod reconcile;
mod shards;
mod too_large;
mod turns;
