//! The first line of a response.

use contract::outcome::Reason;

use super::field::{is_blank, is_text, without_cr};
use crate::fault::Fault;
use crate::redact::quote;

/// What a status line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLine {
    /// Whether the version is 1.1 or a later one.
    pub(super) modern: bool,
    /// The status.
    pub(super) status: u16,
}

/// The status of a line, without its LF, that the library reads as it is.
pub(super) fn plain(line: &[u8]) -> Option<u16> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let [
        b'H',
        b'T',
        b'T',
        b'P',
        b'/',
        b'1',
        b'.',
        b'0' | b'1',
        b' ',
        a,
        b,
        c,
        reason @ ..,
    ] = line
    else {
        return None;
    };
    let is_plain = matches!(reason, [] | [b' ', ..]) && is_text(reason);
    is_plain.then(|| number([*a, *b, *c])).flatten()
}

/// A line, without its LF, as browsers and curl read it: of any version, in letters of any case, with any blanks, and
/// with anything behind the status.
pub(super) fn read(line: &[u8]) -> Result<StatusLine, Fault> {
    parse(line).ok_or_else(|| {
        let message = format!(
            "the line {} is no status line like HTTP/1.1 200",
            quote(without_cr(line))
        );
        Fault::here(Reason::Protocol, message)
    })
}

/// The parts of a line that begins with `HTTP`.
fn parse(line: &[u8]) -> Option<StatusLine> {
    let (_, rest) = line.split_at_checked(4)?;
    let rest = rest.strip_prefix(b"/")?;
    let (version, rest) = rest.split_at_checked(rest.iter().position(|byte| is_blank(*byte))?)?;
    let modern = match version {
        [b'0', ..] | b"1.0" => false,
        [b'1'..=b'9', ..] => true,
        _ => return None,
    };
    let status = match rest.trim_ascii_start() {
        [_, _, _, b'0'..=b'9', ..] => return None,
        [a, b, c, ..] => number([*a, *b, *c])?,
        _ => return None,
    };
    Some(StatusLine { modern, status })
}

/// A status of three digits; there is none below 100.
fn number(digits: [u8; 3]) -> Option<u16> {
    let all = digits.iter().all(u8::is_ascii_digit);
    let number = digits.iter().fold(0, |number, digit| {
        number * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    (all && number >= 100).then_some(number)
}
