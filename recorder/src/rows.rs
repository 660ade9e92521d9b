//! Rows: which results go into one statement, and the sessions that it runs in.

use contract::{outcome::Outcome, result::CheckResult};

/// Session settings of the connections that record. `PostgreSQL` may hang; a statement may not.
pub const SETTINGS: &[(&str, &str)] = &[
    ("jit", "off"),
    ("tcp_user_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "10s"),
];

/// Leaves one result per instant of a batch in key order: one that was made rather than a missed one.
pub(crate) fn distinct<'a>(
    batch: impl IntoIterator<Item = &'a CheckResult>,
) -> Vec<&'a CheckResult> {
    let mut kept: Vec<&CheckResult> = Vec::new();
    for result in batch {
        match kept.last_mut() {
            Some(last) if last.check == result.check => {
                if last.outcome() == Outcome::Missed && result.outcome() != Outcome::Missed {
                    *last = result;
                }
            }
            _ => kept.push(result),
        }
    }
    kept
}
