//! The checker as a service, between the real Kafka, the real `PostgreSQL` and a website.
//!
//! All checkers of a broker are one consumer group, so these tests take turns: each holds
//! [`testbed::Calm`] for as long as it lasts.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod bed;
mod full;
mod messages;
mod offsets;
mod seals;
mod several;
mod tasks;
