//! The JSON in a body against what was expected of it.
//!
//! A rule holds when its path leads to at least one value and every value it leads to passes: with
//! `[*]`, one broken part among many must not hide behind the others. `exists: true` holds when the path
//! leads anywhere, `exists: false` when it leads nowhere. Integers are compared exactly, other numbers as
//! `f64`, so `1` equals `1.0`; a string never equals a number, and only a string matches. A name that
//! stands twice in an object counts twice.
//!
//! Of a body that was cut, a rule is judged if the rest cannot change its verdict: it failed, or one value
//! was enough. Whoever needs the rest says `too_large`.

use std::cmp::Ordering;
use std::fmt;

use contract::outcome::Reason;
use contract::site::json_rule::{JsonRule, JsonTest, Scalar};
use serde_json::Number;

use super::json_walk::walk;
use crate::body::Received;
use crate::fault::Fault;
use crate::judge::{SHOWN_CHARS, fault, shown, too_large};
use crate::redact::{printable, quote};

/// Judges the body by rules on its JSON.
pub(crate) fn judge_json(rules: &[JsonRule], received: &Received) -> Result<(), Fault> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut views: Vec<View<'_>> = rules.iter().map(View::new).collect();
    match read(&mut views, received) {
        Err(error) if !(received.cut && error.is_eof()) => Err(no_json(&error, received)),
        _ => views.iter().try_for_each(|view| view.judge(received.cut)),
    }
}

/// Shows the rules, in one pass, what their paths lead to.
fn read(views: &mut [View<'_>], received: &Received) -> serde_json::Result<()> {
    let mut bytes = received.bytes.as_slice();
    if received.cut {
        // A number goes on until something else comes: without its end it may be another one.
        while let [rest @ .., b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'] = bytes {
            bytes = rest;
        }
    }
    walk(views, bytes)
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

/// What a rule has seen of a document.
#[derive(Debug)]
pub(crate) struct View<'r> {
    /// The rule.
    pub(crate) rule: &'r JsonRule,
    /// Whether its path led to a value.
    met: bool,
    /// The first value that did not pass, for people.
    missed: Option<String>,
}

impl<'r> View<'r> {
    /// Nothing has been seen.
    fn new(rule: &'r JsonRule) -> Self {
        Self {
            rule,
            met: false,
            missed: None,
        }
    }

    /// The path leads to this value.
    pub(crate) fn meet(&mut self, value: &Found<'_>) {
        self.met = true;
        if self.missed.is_none() && !value.passes(&self.rule.test) {
            self.missed = Some(value.to_string());
        }
    }

    /// The verdict; of a cut document, only if what is missing cannot change it.
    fn judge(&self, cut: bool) -> Result<(), Fault> {
        let JsonRule { path, test } = self.rule;
        let name = printable(path.as_str(), SHOWN_CHARS);
        let miss = |found: &str| {
            let message = format!("{name} is {found}, expected {}", expected(test));
            Err(fault(Reason::Json, message))
        };
        if let Some(found) = &self.missed {
            return miss(found);
        }
        let more_may_come = path.is_plural() && *test != JsonTest::Exists(true);
        if cut && (!self.met || more_may_come) {
            return Err(too_large(&format!("the expectation on {name}")));
        }
        if self.met || *test == JsonTest::Exists(false) {
            return Ok(());
        }
        miss("not there")
    }
}

/// What must hold, for people.
fn expected(test: &JsonTest) -> String {
    match test {
        JsonTest::Exists(true) => "a value".to_owned(),
        JsonTest::Exists(false) => "no value".to_owned(),
        JsonTest::Equals(Scalar::Null) => "null".to_owned(),
        JsonTest::Equals(Scalar::Bool(value)) => value.to_string(),
        JsonTest::Equals(Scalar::Number(number)) => number.to_string(),
        JsonTest::Equals(Scalar::Text(string)) => shown(string),
        JsonTest::Less(number) => format!("less than {number}"),
        JsonTest::Greater(number) => format!("more than {number}"),
        JsonTest::Matches(pattern) => format!("a match of {}", shown(pattern.as_str())),
    }
}

/// A value of a document.
#[derive(Debug)]
pub(crate) enum Found<'v> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(&'v str),
    /// An array, whatever is in it.
    Array,
    /// An object, whatever is in it.
    Object,
}

impl Found<'_> {
    /// Whether a test holds for this.
    fn passes(&self, test: &JsonTest) -> bool {
        match (test, self) {
            (JsonTest::Exists(wanted), _) => *wanted,
            (JsonTest::Equals(Scalar::Null), Self::Null) => true,
            (JsonTest::Equals(Scalar::Bool(wanted)), Self::Bool(value)) => value == wanted,
            (JsonTest::Equals(Scalar::Number(wanted)), Self::Number(value)) => {
                order(value, wanted) == Some(Ordering::Equal)
            }
            (JsonTest::Equals(Scalar::Text(wanted)), Self::Text(value)) => value == wanted,
            (JsonTest::Less(limit), Self::Number(value)) => {
                order(value, limit) == Some(Ordering::Less)
            }
            (JsonTest::Greater(limit), Self::Number(value)) => {
                order(value, limit) == Some(Ordering::Greater)
            }
            (JsonTest::Matches(pattern), Self::Text(value)) => {
                pattern.find_end(value.as_bytes()).is_some()
            }
            _ => false,
        }
    }
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(&quote(text.as_bytes())),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// How two numbers compare.
fn order(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
