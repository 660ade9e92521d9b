//! Where a response's body ends, by its head (RFC 9112, 6.3).
//!
//! Chunks count more than a length. Two lengths that differ, and a length that is no number, are refused: the standard
//! says so, and curl and browsers do not agree on where such a body ends.
//!
//! The exchange takes the chunks apart, and for the library the body ends with the connection. So the headers that
//! would tell it otherwise get another name until the library has read the head.

use std::mem;

use contract::outcome::Reason;
use ureq::http::{HeaderMap, HeaderName, header};

use super::field::Field;
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// The first letter of a header's name while it is hidden. Such names are tokens, and none is in use.
const HIDDEN: u8 = b'!';
/// The headers that are hidden, and how they are called meanwhile.
const NAMES: [(&str, HeaderName); 2] = [
    ("!ransfer-encoding", header::TRANSFER_ENCODING),
    ("!ontent-length", header::CONTENT_LENGTH),
];

/// Whether a header's value is one number that is no longer than a body can be.
pub(super) fn is_plain_length(value: &[u8]) -> bool {
    let digits = value.trim_ascii();
    (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// Whether the body behind a head that the library can read is in chunks.
pub(super) fn is_chunked(head: &[u8]) -> Result<bool, Fault> {
    let is_chunks = |part: &[u8]| part.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut codings = fields(head).filter(Field::is_coding);
    if codings.any(|field| field.value.split(|byte| *byte == b',').any(is_chunks)) {
        return Ok(true);
    }
    judge_lengths(head).map(|()| false)
}

/// Refuses lengths that leave open where the body ends.
fn judge_lengths(head: &[u8]) -> Result<(), Fault> {
    let mut known = None;
    for field in fields(head).filter(Field::is_length) {
        for part in field.value.split(|byte| *byte == b',') {
            let length = length(part).ok_or_else(|| {
                let value = quote(field.value.trim_ascii());
                refused(format!("the Content-Length {value} is no number of bytes"))
            })?;
            match known.replace(length) {
                Some(other) if other != length => {
                    let value = quote(field.value.trim_ascii());
                    let message =
                        format!("the Content-Length {value} contradicts another of {other}");
                    return Err(refused(message));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// A length: digits with blanks around them.
fn length(part: &[u8]) -> Option<u64> {
    let digits = part.trim_ascii();
    // `parse` takes a sign
    let digits = digits.iter().all(u8::is_ascii_digit).then_some(digits)?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// A head that is refused.
fn refused(message: String) -> Fault {
    Fault::here(Reason::Protocol, message)
}

/// The header lines of a head that the library can read.
fn fields(head: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let lines = head.split(|byte| *byte == b'\n');
    lines.filter_map(|line| Field::plain(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Hides from the library which headers say where the body ends.
pub(super) fn hide(head: &mut [u8]) {
    for line in head.split_inclusive_mut(|byte| *byte == b'\n') {
        let ended = line.strip_suffix(b"\n").unwrap_or(line);
        let field = Field::plain(ended.strip_suffix(b"\r").unwrap_or(ended));
        let is_framing = field.is_some_and(|field| field.is_length() || field.is_coding());
        if let Some(first) = line.first_mut().filter(|_| is_framing) {
            *first = HIDDEN;
        }
    }
    observed::with(|observed| observed.hidden = true);
}

/// Gives the hidden headers of a head that the library has read their names again.
pub(crate) fn unhide(headers: &mut HeaderMap) {
    if observed::with(|observed| mem::take(&mut observed.hidden)) {
        for (hidden, name) in NAMES {
            let values: Vec<_> = headers.get_all(hidden).iter().cloned().collect();
            headers.remove(hidden);
            for value in values {
                headers.append(name.clone(), value);
            }
        }
    }
}
