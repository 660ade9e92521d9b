//! What is said of an expectation that is not met.

use std::fmt::Display;

use contract::outcome::Reason;

use crate::decode::Cut;
use crate::fault::Fault;
use crate::observed;
use crate::redact::printable;

/// A pattern, text or path is shown so long, in characters.
pub(super) const SHOWN_CHARS: usize = 64;

/// What a rule needs of a body that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// What it looks for.
    More,
    /// That nothing more can come.
    End,
}

/// The rest would be needed for a verdict on `rule`.
pub(super) fn undecided(cut: Cut, rule: &str, needs: Needs) -> Fault {
    if cut == Cut::Endless {
        return endless(rule, needs);
    }
    let message =
        format!("the body is larger than the checker's body_limit, and {rule} needs the rest");
    fault(Reason::TooLarge, message)
}

/// The rest may never come: the body's type says that it has no end.
fn endless(rule: &str, needs: Needs) -> Fault {
    let limit = observed::limit_ms();
    let why = match needs {
        Needs::More => format!("and {rule} did not hold until then"),
        Needs::End => {
            format!("as its type says, and {rule} needs the end; remove that expectation")
        }
    };
    let message = format!("the body did not end within {limit} ms, {why}");
    Fault::here(Reason::BodyTimeout, message)
}

/// A text of the site's owner, shortened.
pub(super) fn shown(text: impl Display) -> String {
    format!("\"{}\"", printable(text.to_string(), SHOWN_CHARS))
}

/// An expectation that is not met.
pub(super) fn fault(reason: Reason, message: impl Into<String>) -> Fault {
    Fault::at("expect", reason, message)
}
