//! The challenges of `WWW-Authenticate` (RFC 9110, 11.6.1), read leniently: devices leave out commas and quotes.

use std::borrow::Cow;

use ureq::http::{HeaderMap, HeaderName};

/// The most challenges that count; a server has one or two.
const MAX_CHALLENGES: usize = 8;
/// The most parameters of one that count.
const MAX_PARAMETERS: usize = 16;

/// One way to prove who asks, in the header's own bytes.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ask) struct Challenge<'h> {
    /// The scheme's name.
    pub(super) scheme: &'h [u8],
    /// The parameters, in order.
    parameters: Vec<(&'h [u8], Cow<'h, [u8]>)>,
}

impl<'h> Challenge<'h> {
    /// The challenges of all headers of this name, in order.
    pub(in crate::ask) fn all(headers: &'h HeaderMap, name: &HeaderName) -> Vec<Self> {
        let mut challenges = Vec::new();
        for value in headers.get_all(name) {
            read(value.as_bytes(), &mut challenges);
        }
        challenges
    }

    /// Whether this is the scheme; case does not matter.
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// The value of a parameter, if it is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_any(name).filter(|value| !value.is_empty())
    }

    /// The value of a parameter.
    pub(super) fn get_any(&self, name: &str) -> Option<&[u8]> {
        let same = |(other, _): &&(&[u8], _)| other.eq_ignore_ascii_case(name.as_bytes());
        let (_, value) = self.parameters.iter().find(same)?;
        Some(value)
    }
}

/// Adds the challenges of one header.
fn read<'h>(mut rest: &'h [u8], challenges: &mut Vec<Challenge<'h>>) {
    // a scheme stands at the start or behind a comma; else a word without a value is the scheme's token
    let mut may_be_scheme = true;
    while let Some(first) = rest.first() {
        let (word, after) = split(rest, |byte| is_token(*byte));
        if word.is_empty() {
            may_be_scheme |= *first == b',';
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let after = after.trim_ascii_start();
        if let Some(value) = after.strip_prefix(b"=") {
            let (value, after) = value_of(value.trim_ascii_start());
            match challenges.last_mut() {
                Some(challenge) if challenge.parameters.len() < MAX_PARAMETERS => {
                    challenge.parameters.push((word, value));
                }
                _ => {}
            }
            rest = after;
        } else {
            if may_be_scheme {
                if challenges.len() == MAX_CHALLENGES {
                    return;
                }
                let parameters = Vec::new();
                challenges.push(Challenge {
                    scheme: word,
                    parameters,
                });
            }
            rest = after;
        }
        may_be_scheme = false;
    }
}

/// A value, quoted or not, and what comes after it.
fn value_of(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = split(text, |byte| !matches!(byte, b',' | b' ' | b'\t'));
        return (Cow::Borrowed(value), rest);
    };
    let (plain, rest) = split(quoted, |byte| !matches!(byte, b'"' | b'\\'));
    if !rest.starts_with(b"\\") {
        return (Cow::Borrowed(plain), rest.get(1..).unwrap_or_default());
    }
    let mut value = plain.to_vec();
    let mut bytes = rest.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => value.extend(bytes.next()),
            byte => value.push(*byte),
        }
    }
    (Cow::Owned(value), bytes.as_slice())
}

/// What a text begins with, and the rest.
fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !belongs(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// Whether a byte may stand in a token (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
