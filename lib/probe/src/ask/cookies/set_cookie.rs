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
mod tests {
    use super::*;

    /// The name and value, and the rest as it would be written.
    fn read(text: &str) -> Option<String> {
        let cookie = SetCookie::read(text.as_bytes(), 1_000)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut said = format!("{}={}", text(cookie.name), text(cookie.value));
        for (name, value) in [(" D=", cookie.domain), (" P=", cookie.path)] {
            said.extend(value.map(|value| name.to_owned() + &text(value)));
        }
        for (word, there) in [(" secure", cookie.secure), (" expired", cookie.expired)] {
            said.extend(there.then_some(word));
        }
        Some(said)
    }

    #[test]
    fn set_cookie_is_read_as_browsers_read_it() {
        for (text, said) in [
            ("a=b", Some("a=b")),
            ("  a  =  b c  ;", Some("a=b c")),
            ("a=b=c==", Some("a=b=c==")),
            ("a=\"b, c\"", Some("a=\"b, c\"")),
            ("a=", Some("a=")),
            ("=b", Some("=b")),
            ("b", Some("=b")),
            (
                "a=b; PATH=/x;secure ;HttpOnly; SameSite=Lax",
                Some("a=b P=/x secure"),
            ),
            (
                "a=b; domain=.x.example; Secure=no",
                Some("a=b D=x.example secure"),
            ),
            ("a=b; domain=x; domain=", Some("a=b")),
            ("a=b; path=x", Some("a=b")),
            ("a=b; path=/x; path", Some("a=b")),
            ("a=b; max-age=0", Some("a=b expired")),
            ("a=b; max-age=-1", Some("a=b expired")),
            ("a=b; max-age=99999999999999999999", Some("a=b")),
            ("a=b; max-age=1.5", Some("a=b")),
            ("a=b; max-age=-", Some("a=b")),
            (
                "a=b; expires=Thu, 01 Jan 1970 00:16:40 GMT",
                Some("a=b expired"),
            ),
            ("a=b; expires=Thu, 01 Jan 1970 00:16:41 GMT", Some("a=b")),
            ("a=b; expires=0", Some("a=b")),
            (
                "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=9",
                Some("a=b"),
            ),
            (
                "a=b; max-age=0; expires=Fri, 31 Dec 9999 23:59:59 GMT",
                Some("a=b expired"),
            ),
            ("", None),
            (" = ; path=/", None),
        ] {
            assert_eq!(read(text).as_deref(), said, "{text}");
        }
        let long = format!("a=b; path=/{}", "x".repeat(1_024));
        assert_eq!(read(&long).as_deref(), Some("a=b"));
    }
}
