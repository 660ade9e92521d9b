//! What a rule has seen of a document, and what it says to that.

use std::cmp::Ordering;
use std::fmt;

use contract::outcome::Reason;
use contract::site::json_rule::{JsonRule, JsonTest, Scalar};

use crate::decode::Cut;
use crate::fault::Fault;
use crate::judge::unmet::{Needs, SHOWN_CHARS, fault, shown, undecided};
use crate::redact::{printable, quote};

/// What a rule has seen of a document.
#[derive(Debug)]
pub(super) struct RuleState<'r> {
    /// The rule.
    pub(super) rule: &'r JsonRule,
    /// Whether its path led to a value.
    met: bool,
    /// The first value that did not pass, for people.
    missed: Option<String>,
}

impl<'r> RuleState<'r> {
    /// Nothing has been seen.
    pub(super) fn new(rule: &'r JsonRule) -> Self {
        Self {
            rule,
            met: false,
            missed: None,
        }
    }

    /// The path leads to this value.
    pub(super) fn meet(&mut self, value: &FoundValue<'_>) {
        self.met = true;
        if self.missed.is_none() && !value.passes(&self.rule.test) {
            self.missed = Some(value.to_string());
        }
    }

    /// The verdict; of a cut document, only if what is missing cannot change it.
    pub(super) fn judge(&self, cut: Cut) -> Result<(), Fault> {
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
        if cut != Cut::Whole && (!self.met || more_may_come) {
            return Err(undecided(
                cut,
                &format!("the expectation on {name}"),
                Needs::End,
            ));
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
        JsonTest::Equals(Scalar::Number(number)) => number_shown(number.as_str()),
        JsonTest::Equals(Scalar::Text(string)) => shown(string),
        JsonTest::Less(number) => format!("less than {}", number_shown(number.as_str())),
        JsonTest::Greater(number) => format!("more than {}", number_shown(number.as_str())),
        JsonTest::Matches(pattern) => format!("a match of {}", shown(pattern.as_str())),
    }
}

/// A value of a document.
#[derive(Debug)]
pub(super) enum FoundValue<'v> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(&'v str),
    /// A string.
    Text(&'v str),
    /// An array, whatever is in it.
    Array,
    /// An object, whatever is in it.
    Object,
}

impl FoundValue<'_> {
    /// Whether a test holds for this.
    fn passes(&self, test: &JsonTest) -> bool {
        match (test, self) {
            (JsonTest::Exists(wanted), _) => *wanted,
            (JsonTest::Equals(Scalar::Null), Self::Null) => true,
            (JsonTest::Equals(Scalar::Bool(wanted)), Self::Bool(value)) => value == wanted,
            (JsonTest::Equals(Scalar::Number(wanted)), Self::Number(value)) => {
                wanted.order(value) == Some(Ordering::Equal)
            }
            (JsonTest::Equals(Scalar::Text(wanted)), Self::Text(value)) => value == wanted,
            (JsonTest::Less(limit), Self::Number(value)) => {
                limit.order(value) == Some(Ordering::Less)
            }
            (JsonTest::Greater(limit), Self::Number(value)) => {
                limit.order(value) == Some(Ordering::Greater)
            }
            (JsonTest::Matches(pattern), Self::Text(value)) => {
                pattern.find_end(value.as_bytes()).is_some()
            }
            _ => false,
        }
    }
}

impl fmt::Display for FoundValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => f.write_str(&number_shown(number)),
            Self::Text(text) => f.write_str(&quote(text.as_bytes())),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// A number, shortened.
fn number_shown(number: &str) -> String {
    printable(number, SHOWN_CHARS)
}
