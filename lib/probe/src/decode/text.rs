//! The text of a body, as rules see it: in UTF-8.
//!
//! A byte order mark is no part of the text, but a rule may look for one: to some programs it is a fault.

use std::borrow::Cow;
use std::sync::Arc;

use contract::outcome::Reason;
use ureq::http::HeaderMap;

use super::charset::{self, Charset, Unknown};
use crate::budget::{Budget, Share};
use crate::fault::Fault;
use crate::redact::quote;

/// A byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The most bytes of a character in UTF-8.
const MOST_UTF8: usize = 4;

/// What is missing of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing.
    #[default]
    Whole,
    /// What is beyond the checker's limit.
    Limit,
    /// What is still to come, without end.
    Endless,
}

/// The text of a body.
#[derive(Debug)]
pub(crate) struct Text<'b> {
    /// The text with its byte order mark; where it is no text, the bytes as they came.
    bytes: Cow<'b, [u8]>,
    /// What is missing of it.
    pub(crate) cut: Cut,
    /// Whether a byte order mark was before it.
    marked: bool,
    /// The memory of a copy.
    _share: Option<Share>,
}

impl<'b> Text<'b> {
    /// Bytes that are the text.
    #[cfg(test)]
    pub(crate) fn plain(bytes: &'b [u8], cut: Cut) -> Self {
        Self {
            bytes: Cow::Borrowed(bytes),
            cut,
            marked: bytes.starts_with(MARK),
            _share: None,
        }
    }

    /// The text of a body that came with this head; a copy comes out of `memory`.
    pub(crate) fn of(
        headers: &HeaderMap,
        body: &'b [u8],
        cut: Cut,
        memory: &Arc<Budget>,
    ) -> Result<Self, Fault> {
        let mark = charset::of_mark(body);
        let charset = match mark {
            Some(charset) => charset,
            None if body.is_empty() => Charset::AsItCame,
            None => charset::of(headers, body).map_err(undecodable)?,
        };
        let (bytes, share) = match charset {
            Charset::AsItCame => (Cow::Borrowed(body), None),
            charset => {
                let mut share = memory.share();
                let text = copy(charset, body, cut, &mut share)?;
                (Cow::Owned(text.into_bytes()), Some(share))
            }
        };
        Ok(Self {
            bytes,
            cut,
            marked: mark.is_some(),
            _share: share,
        })
    }

    /// The text.
    pub(crate) fn text(&self) -> &[u8] {
        let mark = if self.marked { MARK.len() } else { 0 };
        self.bytes.get(mark..).unwrap_or_default()
    }

    /// The text with its byte order mark; none if it has no mark.
    pub(crate) fn with_mark(&self) -> Option<&[u8]> {
        self.marked.then_some(&*self.bytes)
    }

    /// How the text begins, for people. A byte order mark is not seen, so it is written out.
    pub(crate) fn start(&self) -> String {
        let quoted = quote(self.text());
        match quoted.strip_prefix('"') {
            Some(rest) if self.marked => format!("\"\\u{{feff}}{rest}"),
            _ => quoted,
        }
    }
}

/// A body in another charset than UTF-8, decoded. Of one that was cut, half a character at its end is left out.
#[inline(never)]
fn copy(charset: Charset, body: &[u8], cut: Cut, share: &mut Share) -> Result<String, Fault> {
    match charset {
        Charset::AsItCame => Ok(String::from_utf8_lossy(body).into_owned()),
        Charset::Known(encoding) => {
            let mut decoder = encoding.new_decoder_without_bom_handling();
            let most = decoder.max_utf8_buffer_length(body.len());
            let mut text = room(share, most.unwrap_or(usize::MAX))?;
            let (_, _, _) = decoder.decode_to_string(body, &mut text, cut == Cut::Whole);
            Ok(text)
        }
        Charset::Utf32 { big_endian } => {
            let (units, _) = body.as_chunks::<4>();
            let mut text = room(share, units.len().saturating_mul(MOST_UTF8))?;
            let number = if big_endian {
                u32::from_be_bytes
            } else {
                u32::from_le_bytes
            };
            let read = |unit| char::from_u32(number(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend(units.iter().copied().map(read));
            Ok(text)
        }
    }
}

/// Room for a copy of so many bytes at most.
fn room(share: &mut Share, bytes: usize) -> Result<String, Fault> {
    share
        .take(u64::try_from(bytes).unwrap_or(u64::MAX))
        .map_err(|spent| Fault::at("expect", Reason::LocalResources, spent))?;
    Ok(String::with_capacity(bytes))
}

/// A body that cannot be read as text.
fn undecodable(Unknown(label): Unknown) -> Fault {
    let message = format!(
        "the body has the charset {label}, which webmon does not know, and an expectation needs its text; \
         have the server name one like utf-8"
    );
    Fault::at("expect", Reason::Encoding, message)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
