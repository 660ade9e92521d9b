//! The JSON in a body against what was expected of it.
//!
//! A rule holds when its path leads to at least one value and every value it leads to passes: with
//! `[*]`, one broken part among many must not hide behind the others. `exists: true` holds when the path
//! leads anywhere, `exists: false` when it leads nowhere. Numbers are compared exactly, whatever their length,
//! so `1` equals `1.0`; a string never equals a number, and only a string matches. A name that stands twice in an
//! object counts twice. Half a surrogate pair is JSON (RFC 8259, 8.2), and reads as U+FFFD.
//!
//! Of a body that was cut, a rule is judged if the rest cannot change its verdict: it failed, or one value
//! was enough. Where the rest is needed the verdict is `too_large`.

mod rule_state;
mod string;
mod walk;

use contract::outcome::Reason;
use contract::site::json_rule::JsonRule;
use serde::de::IgnoredAny;

use self::rule_state::RuleState;
use self::walk::walk;
use super::unmet::fault;
use crate::decode::{Cut, Text};
use crate::fault::Fault;

/// Judges the body by rules on its JSON.
pub(super) fn judge_json(rules: &[JsonRule], text: &Text<'_>) -> Result<(), Fault> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut states: Vec<RuleState<'_>> = rules.iter().map(RuleState::new).collect();
    if walk(&mut states, before_cut(text)).is_err()
        && let Some(what) = broken(text)
    {
        return Err(no_json(&what, text));
    }
    states.iter().try_for_each(|state| state.judge(text.cut))
}

/// The text without a number at its cut, which may be another one with its end.
fn before_cut<'t>(text: &'t Text<'_>) -> &'t [u8] {
    let mut bytes = text.text();
    if text.cut != Cut::Whole {
        while let [rest @ .., b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'] = bytes {
            bytes = rest;
        }
    }
    bytes
}

/// Why a text is no document of JSON; none if it only lacks what was cut off.
fn broken(text: &Text<'_>) -> Option<String> {
    match serde_json::from_slice::<IgnoredAny>(before_cut(text)) {
        Err(error) if text.cut != Cut::Whole && error.is_eof() => None,
        Err(error) => Some(error.to_string()),
        Ok(IgnoredAny) => Some("a string in it is no UTF-8".to_owned()),
    }
}

/// The body is no document of JSON.
fn no_json(what: &str, text: &Text<'_>) -> Fault {
    let message = if text.text().is_empty() {
        "the body is empty, which is no JSON".to_owned()
    } else {
        format!(
            "the body is no JSON ({what}); it begins with {}",
            text.start()
        )
    };
    fault(Reason::Json, message)
}

#[cfg(test)]
mod tests;
