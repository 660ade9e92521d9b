//! What an answer declares about its text: the media type, and the charset in the head, in `<meta>` or in an XML
//! declaration.

use memchr::memmem;
use ureq::http::{HeaderMap, header};

/// How far into a page a declaration is looked for (HTML, 4.2.5.4).
const SCANNED_BYTES: usize = 1_024;

/// The media type of an answer without its parameters, as it is written; empty if the head has none.
pub(crate) fn media_type(headers: &HeaderMap) -> &[u8] {
    let parts = content_type(headers).split(|b| *b == b';');
    parts.map(<[u8]>::trim_ascii).next().unwrap_or_default()
}

/// The charset that the head names.
pub(super) fn in_head(headers: &HeaderMap) -> Option<&[u8]> {
    let mut parameters = content_type(headers).split(|b| *b == b';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = split_once(parameter, b'=')?;
        let named = name.trim_ascii().eq_ignore_ascii_case(b"charset");
        named.then(|| unquoted(value.trim_ascii()))
    })
}

/// The charset that a page of HTML names in `<meta charset>` or in `<meta http-equiv>`.
pub(super) fn in_meta(page: &[u8]) -> Option<&[u8]> {
    let mut rest = page;
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = rest.get(at..)?;
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            rest = comment.get(memmem::find(comment, b"-->")?..)?;
            continue;
        }
        let (tag, behind) = rest.split_at_checked(memchr::memchr(b'>', rest)?)?;
        if let Some(label) = of_meta(tag) {
            return Some(label);
        }
        rest = behind;
    }
    None
}

/// The charset that an XML declaration names.
pub(super) fn in_xml(body: &[u8]) -> Option<&[u8]> {
    let start = start(body).trim_ascii_start().strip_prefix(b"<?xml")?;
    let declaration = start.get(..memmem::find(start, b"?>")?)?;
    value_after(declaration, b"encoding")
}

/// The value of the header `Content-Type`; of several, the last.
fn content_type(headers: &HeaderMap) -> &[u8] {
    let last = headers.get_all(header::CONTENT_TYPE).iter().next_back();
    last.map_or(b"", |value| value.as_bytes())
}

/// The part of a body in which a declaration counts at once.
pub(super) fn start(body: &[u8]) -> &[u8] {
    body.get(..SCANNED_BYTES).unwrap_or(body)
}

/// The charset in a tag, if it is `<meta`.
fn of_meta(tag: &[u8]) -> Option<&[u8]> {
    let (name, attributes) = tag.split_at_checked(b"<meta".len())?;
    let ends = |b: &u8| b.is_ascii_whitespace() || *b == b'/';
    if !name.eq_ignore_ascii_case(b"<meta") || !attributes.first().is_some_and(ends) {
        return None;
    }
    value_after(attributes, b"charset")
}

/// The value behind a name and `=`, in any case and with or without quotes: `charset="utf-8"`, and also
/// `content="text/html; charset=utf-8"`.
fn value_after<'t>(text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let mut places = text.windows(name.len()).enumerate();
    places.find_map(|(at, word)| {
        if !word.eq_ignore_ascii_case(name) {
            return None;
        }
        let behind = text.get(at + name.len()..)?.trim_ascii_start();
        let value = behind.strip_prefix(b"=")?.trim_ascii_start();
        let quoted = match value.first()? {
            quote @ (b'"' | b'\'') => value.get(1..)?.split(|b| b == quote).next(),
            _ => value
                .split(|b| b.is_ascii_whitespace() || b";\"'>/".contains(b))
                .next(),
        };
        quoted.map(<[u8]>::trim_ascii)
    })
}

/// A value without the quotes around it.
fn unquoted(value: &[u8]) -> &[u8] {
    let double = value.strip_prefix(b"\"").map(|rest| (rest, b'"'));
    let single = || value.strip_prefix(b"'").map(|rest| (rest, b'\''));
    let Some((rest, quote)) = double.or_else(single) else {
        return value;
    };
    let inside = rest.split(|b| *b == quote).next();
    inside.unwrap_or_default().trim_ascii()
}

/// What stands before and behind the first `byte`.
fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let (before, behind) = text.split_at_checked(memchr::memchr(byte, text)?)?;
    Some((before, behind.get(1..)?))
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;
