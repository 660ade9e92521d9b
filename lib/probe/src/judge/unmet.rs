//! What is said of an expectation that is not met.

use std::fmt::Display;

use contract::outcome::Reason;

use crate::fault::Fault;
use crate::redact::printable;

/// A pattern, text or path is shown so long, in characters.
pub(super) const SHOWN_CHARS: usize = 64;

/// The rest would be needed for a verdict.
pub(super) fn too_large(what: &str) -> Fault {
    let message =
        format!("the body is larger than the checker's body_limit, and {what} needs the rest");
    fault(Reason::TooLarge, message)
}

/// A text of the site's owner, shortened.
pub(super) fn shown(text: impl Display) -> String {
    format!("\"{}\"", printable(text.to_string(), SHOWN_CHARS))
}

/// An expectation that is not met.
pub(super) fn fault(reason: Reason, message: impl Into<String>) -> Fault {
    Fault::at("expect", reason, message)
}
