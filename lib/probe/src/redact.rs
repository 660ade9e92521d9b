//! What people may see of a text: printable characters, and no secret's value.
//!
//! Servers repeat what they were sent, so every text that leaves the probe goes through here. Values
//! are replaced before the text is shortened, or the beginning of one would be left at the cut.

use std::borrow::Cow;

use crate::observed;

/// The most that is quoted of a response, in characters.
const QUOTE_CHARS: usize = 64;

/// A text as people may see it: at most `limit` characters, those that are not harmless as `·`, and placeholders
/// for the values of secrets.
pub(crate) fn printable(text: impl AsRef<[u8]>, limit: usize) -> String {
    observed::with(|observed| observed.revealed.printable(text.as_ref(), limit))
}

/// A quotation from a response: from the whole of it, as a secret's value must not be cut before it is
/// replaced.
pub(crate) fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", printable(bytes, QUOTE_CHARS))
}

/// A URL as people may see it.
pub(crate) fn url(url: &str) -> Cow<'_, str> {
    if observed::with(|observed| observed.revealed.is_empty()) {
        return Cow::Borrowed(url);
    }
    Cow::Owned(printable(url, usize::MAX))
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
