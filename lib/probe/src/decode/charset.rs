//! Which charset the text of a body is in.
//!
//! A byte order mark says it, or else the head, or else the page: that is the order of the Encoding and the HTML
//! standards. A text that says nothing is UTF-8 if it can be, and windows-1252 otherwise, as browsers have it. JSON
//! that says nothing is UTF-8 (RFC 8259, 8.1). What is no text stays as it came, for patterns over bytes.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use ureq::http::HeaderMap;

use super::declared;
use crate::redact::quote;

/// How the text of a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// As it came: it is UTF-8, or no text.
    AsItCame,
    /// In a charset of the Encoding standard.
    Known(&'static Encoding),
    /// In UTF-32, which that standard does not have.
    Utf32 {
        /// Whether the highest byte comes first.
        big_endian: bool,
    },
}

/// A charset that cannot be decoded, as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) String);

/// Names of charsets that programs write and the Encoding standard does not list, without `-` and `_`.
const ALIASES: &[(&str, &str)] = &[
    ("latin1", "latin1"),
    ("latin9", "iso-8859-15"),
    ("eucjp", "euc-jp"),
    ("euckr", "euc-kr"),
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("ms936", "gbk"),
    ("cp949", "euc-kr"),
    ("ms949", "euc-kr"),
    ("cp950", "big5"),
    ("ms950", "big5"),
];

/// What a media type says about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// HTML.
    Html,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// Other text.
    Text,
    /// Nothing is said.
    Unsaid,
    /// Something else: an image, say.
    Other,
}

/// The charset of a body that begins without a byte order mark.
pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Charset, Unknown> {
    let kind = kind(declared::media_type(headers));
    if let Some(charset) =
        declared::in_head(headers).and_then(|label| named(label, body).transpose())
    {
        return charset;
    }
    let label = match kind {
        Kind::Html => declared::in_meta(declared::start(body)),
        Kind::Xml => declared::in_xml(body),
        Kind::Unsaid => declared::in_xml(body).or_else(|| declared::in_meta(declared::start(body))),
        Kind::Json | Kind::Text | Kind::Other => None,
    };
    if let Some(charset) = label.and_then(|label| named(label, body).transpose()) {
        return charset.map(within_ascii);
    }
    let guess = unsaid(kind, body);
    if guess == Charset::Known(WINDOWS_1252) && matches!(kind, Kind::Html | Kind::Unsaid) {
        // browsers begin anew at a declaration that comes late
        let late = declared::in_meta(body).and_then(|label| named(label, body).transpose());
        return late.unwrap_or(Ok(guess)).map(within_ascii);
    }
    Ok(guess)
}

/// The charset of a byte order mark.
pub(super) fn of_mark(body: &[u8]) -> Option<Charset> {
    let utf32 = |big_endian| Some(Charset::Utf32 { big_endian });
    match body {
        [0xff, 0xfe, 0, 0, ..] => utf32(false),
        [0, 0, 0xfe, 0xff, ..] => utf32(true),
        [0xff, 0xfe, ..] => Some(Charset::Known(UTF_16LE)),
        [0xfe, 0xff, ..] => Some(Charset::Known(UTF_16BE)),
        [0xef, 0xbb, 0xbf, ..] => Some(Charset::AsItCame),
        _ => None,
    }
}

/// What a media type says.
fn kind(media: &[u8]) -> Kind {
    let is = |name: &str| media.eq_ignore_ascii_case(name.as_bytes());
    let begins = |start: &str| {
        let found = media.get(..start.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
    };
    let ends = |end: &str| {
        let found = media
            .len()
            .checked_sub(end.len())
            .and_then(|at| media.get(at..));
        found.is_some_and(|found| found.eq_ignore_ascii_case(end.as_bytes()))
    };
    if media.is_empty() {
        Kind::Unsaid
    } else if is("text/html") || is("application/xhtml+xml") {
        Kind::Html
    } else if ends("/xml") || ends("+xml") {
        Kind::Xml
    } else if ends("/json") || ends("+json") {
        Kind::Json
    } else if begins("text/") || ends("/javascript") || ends("/x-javascript") {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// The charset of a name; none if the name says nothing.
fn named(label: &[u8], body: &[u8]) -> Result<Option<Charset>, Unknown> {
    // as most answers have it
    if label.eq_ignore_ascii_case(b"utf-8") {
        return Ok(Some(Charset::AsItCame));
    }
    let squeezed: Vec<u8> = label
        .iter()
        .filter(|b| b.is_ascii_alphanumeric())
        .copied()
        .collect();
    let squeezed = squeezed.to_ascii_lowercase();
    let is = |name: &str| squeezed == name.as_bytes();
    let charset = match Encoding::for_label(label) {
        Some(encoding) if encoding == REPLACEMENT => return Err(Unknown(quote(label))),
        // RFC 2781, 4.3: without a mark it is big-endian, but the Encoding standard says little-endian
        Some(encoding) if encoding == UTF_16LE && is("utf16") => {
            Charset::Known(utf16_of(body).unwrap_or(encoding))
        }
        Some(encoding) if encoding == UTF_8 => Charset::AsItCame,
        Some(encoding) => Charset::Known(encoding),
        None if is("") || is("none") => return Ok(None),
        // `utf8mb4`, `UTF_8`, `utf-8_general_ci`
        None if is("binary") || squeezed.starts_with(b"utf8") => Charset::AsItCame,
        None if is("utf32") || is("utf32le") || is("utf32be") => Charset::Utf32 {
            big_endian: !is("utf32le") && (is("utf32be") || body.first() == Some(&0)),
        },
        None => {
            let alias = ALIASES.iter().find(|(alias, _)| is(alias));
            let known = alias.and_then(|(_, label)| Encoding::for_label(label.as_bytes()));
            Charset::Known(known.ok_or_else(|| Unknown(quote(label)))?)
        }
    };
    Ok(Some(charset))
}

/// The charset of a declaration that was read as ASCII: it cannot be UTF-16 (HTML, 13.2.3.2).
fn within_ascii(charset: Charset) -> Charset {
    match charset {
        Charset::Utf32 { .. } => Charset::AsItCame,
        Charset::Known(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            Charset::AsItCame
        }
        Charset::Known(encoding) if encoding == X_USER_DEFINED => Charset::Known(WINDOWS_1252),
        charset => charset,
    }
}

/// The charset of a body that says none.
fn unsaid(kind: Kind, body: &[u8]) -> Charset {
    if kind == Kind::Other {
        return Charset::AsItCame;
    }
    if kind != Kind::Unsaid
        && let Some(charset) = wide(body)
    {
        return charset;
    }
    if kind == Kind::Json || body.iter().copied().any(is_no_text) || is_utf8(body) {
        Charset::AsItCame
    } else {
        Charset::Known(WINDOWS_1252)
    }
}

/// UTF-16 or UTF-32, if a text begins with an ASCII character in it (RFC 4627, 3).
fn wide(body: &[u8]) -> Option<Charset> {
    let utf32 = |big_endian| Some(Charset::Utf32 { big_endian });
    match body {
        [0, 0, 0, 1..=0x7f, ..] => utf32(true),
        [1..=0x7f, 0, 0, 0, ..] => utf32(false),
        _ => utf16_of(body).map(Charset::Known),
    }
}

/// UTF-16, if a text begins with an ASCII character in it.
fn utf16_of(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0, 1..=0x7f, ..] => Some(UTF_16BE),
        [1..=0x7f, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

/// Whether a byte is in no text of an ASCII charset (MIME Sniffing, 3: a binary data byte).
fn is_no_text(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// Whether a text is UTF-8, some faults apart: one broken character makes no other charset of a page. At a cut the
/// last character may not be whole.
fn is_utf8(text: &[u8]) -> bool {
    let (mut right, mut wrong) = (0_usize, 0_usize);
    for chunk in text.utf8_chunks() {
        right += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    wrong <= right
}

#[cfg(test)]
#[path = "charset_tests.rs"]
mod tests;
