//! A site as a row of the table `site` holds it, in the columns that a sites file sets.

use sea_orm::FromQueryResult;

/// A site as the database shall have it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Site {
    /// What people call it; unique.
    pub name: String,
    /// What to probe, as written.
    pub url: String,
    /// The time between two checks, in milliseconds.
    pub interval_ms: i32,
    /// The time for one check, in milliseconds.
    pub timeout_ms: i32,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// Words for people to sort sites by, as JSON text.
    pub labels: String,
    /// How to ask, as JSON text.
    pub request: String,
    /// What a healthy site answers, as JSON text.
    pub expect: String,
}
