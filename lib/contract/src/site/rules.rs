//! How many rules a list of `expect` may have.

use super::SiteError;

/// The most entries of `status`, `headers`, `body` or `json`: each costs time at every check.
pub const MAX_RULES: usize = 32;

/// Refuses a list that is too long.
pub(super) fn at_most_rules<T>(key: &str, rules: Vec<T>) -> Result<Vec<T>, SiteError> {
    if rules.len() > MAX_RULES {
        let message = format!("has {} entries; at most {MAX_RULES}", rules.len());
        return Err(SiteError::new(key, message));
    }
    Ok(rules)
}
