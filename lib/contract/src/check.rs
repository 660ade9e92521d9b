//! Which check: one site at one due instant.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::instant::UnixMs;

/// A site, by `site.id`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SiteId(pub i64);

/// A check: the primary key of `check_result`. A check that is made twice has one key, and one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckKey {
    /// The site.
    pub site: SiteId,
    /// The due instant.
    pub scheduled_at: UnixMs,
}

impl CheckKey {
    /// The check of a site at an instant.
    pub const fn new(site: SiteId, scheduled_at: UnixMs) -> Self {
        Self { site, scheduled_at }
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
