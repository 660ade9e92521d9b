//! One `Set-Cookie` as it is read (RFC 6265bis, 5.6): leniently, as browsers do.

use super::date;

/// The longest value of an attribute that counts, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 1_024;

/// What a `Set-Cookie` says, in the header's own bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SetCookie<'h> {
    /// The name; empty if there is none.
    pub(super) name: &'h [u8],
    /// The value.
    pub(super) value: &'h [u8],
    /// The domain that it is for, without a dot at its start; else the host that sets it.
    pub(super) domain: Option<&'h [u8]>,
    /// The path that it is for; else that of the request.
    pub(super) path: Option<&'h [u8]>,
    /// Whether it is for HTTPS only.
    pub(super) secure: bool,
    /// Whether its time is over: it takes away the one that is there.
    pub(super) expired: bool,
}

impl<'h> SetCookie<'h> {
    /// Reads a header's value at `now_s`, in seconds since the Unix epoch; `None` if no cookie is in it.
    pub(super) fn read(text: &'h [u8], now_s: i64) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b';');
        let (name, value) = match pair(parts.next()?) {
            // a value without a name
            (value, None) => (&[][..], value),
            (name, Some(value)) => (name, value),
        };
        if name.is_empty() && value.is_empty() {
            return None;
        }
        let mut cookie = Self {
            name,
            value,
            domain: None,
            path: None,
            secure: false,
            expired: false,
        };
        let (mut by_age, mut by_date) = (None, None);
        for part in parts {
            let (attribute, value) = pair(part);
            let value = value.unwrap_or_default();
            if value.len() > MAX_ATTRIBUTE_BYTES {
                continue;
            }
            // of several the last counts, if it can be read
            match attribute.to_ascii_lowercase().as_slice() {
                b"domain" => cookie.domain = some(value.strip_prefix(b".").unwrap_or(value)),
                b"path" => cookie.path = some(value).filter(|path| path.starts_with(b"/")),
                b"secure" => cookie.secure = true,
                b"max-age" => by_age = has_no_age(value).or(by_age),
                b"expires" => by_date = date::seconds(value).map(|end| end <= now_s).or(by_date),
                _ => {}
            }
        }
        cookie.expired = by_age.or(by_date).unwrap_or(false);
        Some(cookie)
    }
}

/// What stands before the first `=` and after it, without blanks around.
fn pair(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut halves = text.splitn(2, |byte| *byte == b'=');
    let first = halves.next().unwrap_or_default();
    (first.trim_ascii(), halves.next().map(<[u8]>::trim_ascii))
}

/// A text that is not empty.
fn some(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text)
}

/// Whether a `Max-Age` is over at once; `None` if it is no number.
fn has_no_age(text: &[u8]) -> Option<bool> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    number.then(|| digits.len() < text.len() || digits.iter().all(|digit| *digit == b'0'))
}

#[cfg(test)]
#[path = "set_cookie_tests.rs"]
mod tests;
