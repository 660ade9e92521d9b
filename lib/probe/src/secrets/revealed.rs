//! The values of secrets that a check has sent, so that no text that leaves the probe shows them.

use std::fmt;

use contract::text::is_harmless;

/// The beginning of a value is taken for it where a text ends, if it has so many bytes.
const BEGINNING_BYTES: usize = 8;

/// The values of secrets that a check may have sent; it prints as `***`.
#[derive(Clone, Default)]
pub(crate) struct Revealed(Vec<Pair>);

/// A value that is not shown.
#[derive(Clone)]
struct Pair {
    /// What is shown instead.
    shown: String,
    /// The value; never empty.
    value: String,
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Revealed {
    /// Whether no value was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a value, and what is shown instead.
    pub(crate) fn add(&mut self, shown: String, value: &str) {
        if !value.is_empty() {
            let value = value.to_owned();
            self.0.push(Pair { shown, value });
        }
    }

    /// The first value that is shown so.
    pub(crate) fn value(&self, shown: &str) -> Option<&str> {
        let pair = self.0.iter().find(|pair| pair.shown == shown)?;
        Some(&pair.value)
    }

    /// At most `limit` characters of what is a text or nearly one, without values.
    pub(crate) fn printable(&self, text: &[u8], limit: usize) -> String {
        let mut out = String::new();
        let mut chars = 0;
        let mut rest = text;
        while !rest.is_empty() && chars < limit {
            let length = if let Some((length, shown)) = self.first(rest) {
                out.push_str(shown);
                chars += shown.len();
                length
            } else {
                let (c, length) = first_char(rest);
                out.push(if is_harmless(c) { c } else { '·' });
                chars += 1;
                length
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        if chars > limit || !rest.is_empty() {
            let end = out.char_indices().nth(limit);
            out.truncate(end.map_or(out.len(), |(end, _)| end));
            out.push('…');
        }
        out
    }

    /// The longest value that a text begins with: how many bytes it has there, and what is shown
    /// instead. What was replaced before stays as it is.
    fn first(&self, text: &[u8]) -> Option<(usize, &str)> {
        let found = self.0.iter().filter_map(|Pair { shown, value }| {
            let length = if text.starts_with(shown.as_bytes()) {
                shown.len()
            } else {
                length_in(text, value.as_bytes())?
            };
            Some((length, shown.as_str()))
        });
        found.max_by_key(|(length, _)| *length)
    }
}

/// How a secret's value is shown.
pub(crate) fn placeholder(name: &str) -> String {
    format!("${{secret:{name}}}")
}

/// How many bytes a value has at the beginning of a text, if it is there: as it is, or as a URL writes
/// it, with some bytes as `%XX`, its host in lower case.
fn length_in(text: &[u8], value: &[u8]) -> Option<usize> {
    let same = text.get(..value.len());
    if same.is_some_and(|same| same.eq_ignore_ascii_case(value)) {
        return Some(value.len());
    }
    let mut rest = text;
    for (done, byte) in value.iter().enumerate() {
        rest = match rest {
            [] if done >= BEGINNING_BYTES => return Some(text.len()),
            [b'%', high, low, after @ ..] if unescaped(*high, *low) == Some(*byte) => after,
            [first, after @ ..] if first.eq_ignore_ascii_case(byte) => after,
            _ => return None,
        };
    }
    Some(text.len() - rest.len())
}

/// The byte that `%XX` stands for.
fn unescaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The first character and how many bytes it has; bytes that are no character are `�`.
fn first_char(text: &[u8]) -> (char, usize) {
    // no character has more bytes
    let start = text.get(..4).unwrap_or(text);
    let Some(chunk) = start.utf8_chunks().next() else {
        return (char::REPLACEMENT_CHARACTER, 1);
    };
    match chunk.valid().chars().next() {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, chunk.invalid().len().max(1)),
    }
}
