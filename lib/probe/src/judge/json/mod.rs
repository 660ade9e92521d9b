//! The JSON in a body against what was expected of it.
//!
//! A rule holds when its path leads to at least one value and every value it leads to passes: with
//! `[*]`, one broken part among many must not hide behind the others. `exists: true` holds when the path
//! leads anywhere, `exists: false` when it leads nowhere. Integers are compared exactly, other numbers as
//! `f64`, so `1` equals `1.0`; a string never equals a number, and only a string matches. A name that
//! stands twice in an object counts twice.
//!
//! Of a body that was cut, a rule is judged if the rest cannot change its verdict: it failed, or one value
//! was enough. Where the rest is needed the verdict is `too_large`.

mod rule_state;
mod walk;

use contract::outcome::Reason;
use contract::site::json_rule::JsonRule;

use self::rule_state::RuleState;
use self::walk::walk;
use super::unmet::fault;
use crate::body::Received;
use crate::fault::Fault;
use crate::redact::quote;

/// Judges the body by rules on its JSON.
pub(super) fn judge_json(rules: &[JsonRule], received: &Received) -> Result<(), Fault> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut states: Vec<RuleState<'_>> = rules.iter().map(RuleState::new).collect();
    match read(&mut states, received) {
        Err(error) if !(received.cut && error.is_eof()) => Err(no_json(&error, received)),
        _ => states
            .iter()
            .try_for_each(|state| state.judge(received.cut)),
    }
}

/// Shows the rules, in one pass, what their paths lead to.
fn read(states: &mut [RuleState<'_>], received: &Received) -> serde_json::Result<()> {
    let mut bytes = received.bytes.as_slice();
    if received.cut {
        // A number goes on until something else comes: without its end it may be another one.
        while let [rest @ .., b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'] = bytes {
            bytes = rest;
        }
    }
    walk(states, bytes)
}

/// The body is no document of JSON.
fn no_json(error: &serde_json::Error, received: &Received) -> Fault {
    let message = if received.bytes.is_empty() {
        "the body is empty, which is no JSON".to_owned()
    } else {
        let start = quote(&received.bytes);
        format!("the body is no JSON ({error}); it begins with {start}")
    };
    fault(Reason::Json, message)
}

#[cfg(test)]
mod tests;
