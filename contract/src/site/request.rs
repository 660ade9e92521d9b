//! `site.request`: how a site is asked.

use super::SiteError;

/// How a site is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {}

impl Request {
    /// Reads the JSON text of `site.request`.
    pub fn parse(_json: &str) -> Result<Self, SiteError> {
        Ok(Self {})
    }
}
