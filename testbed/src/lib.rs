//! What webmon's tests stand on, each test on its own: a [database](Database).
//!
//! The servers come from the environment (`ci/services` starts them and sets it). A variable that is
//! not set is a panic which names it: a test that cannot run must not pass.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails, and says why"
)]

mod database;

pub use database::Database;

/// The value of an environment variable that names a service.
#[expect(
    clippy::disallowed_methods,
    reason = "tests get their services by the environment"
)]
fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests through `ci/test`, or start `ci/services`")
    })
}
