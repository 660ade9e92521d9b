//! `site.expect`: what a healthy site answers.

use super::SiteError;

/// What a healthy site answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {}

impl Expect {
    /// Reads the JSON text of `site.expect`.
    pub fn parse(_json: &str) -> Result<Self, SiteError> {
        Ok(Self {})
    }
}
