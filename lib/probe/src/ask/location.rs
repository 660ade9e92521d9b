//! Where a redirect leads: `Location` as browsers read it.

use std::borrow::Cow;
use std::fmt::Write as _;

use contract::site::header::MAX_HEADER_LINE_BYTES;
use contract::site::{MAX_URL_BYTES, check_url};
use ureq::http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::redirect::fault;
use crate::check_memory;
use crate::fault::Fault;
use crate::redact::quote;

/// The longest address that a redirect may lead to, in bytes: the first line of a request has room for it, with
/// the longest method. Servers put whole messages of a single sign-on into it.
const MAX_BYTES: usize = MAX_HEADER_LINE_BYTES - 64;

/// Where a response leads to; `None` if it does not say.
pub(super) fn destination(from: &Url, headers: &HeaderMap) -> Result<Option<Url>, Fault> {
    let locations = headers.get_all(header::LOCATION).iter();
    let mut locations = locations.map(|value| HeaderValue::as_bytes(value).trim_ascii());
    let Some(location) = locations.find(|location| !location.is_empty()) else {
        return Ok(None);
    };
    let unusable = |why: &str| fault(format!("Location {} {why}", quote(location)));
    let mut url = from
        .join(&escaped(location))
        .map_err(|error| unusable(&format!("is unusable ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        let host = url.host_str().unwrap_or_default();
        let message = format!(
            "Location carries a user name or password for {}",
            quote(host.as_bytes())
        );
        return Err(fault(message));
    }
    check_url(&url).map_err(|error| unusable(&error.message))?;
    url.set_fragment(None);
    let bytes = url.as_str().len();
    if bytes > MAX_BYTES {
        return Err(unusable(&format!(
            "is {bytes} bytes long; at most {MAX_BYTES}"
        )));
    }
    check_memory::take_for_hops(bytes.saturating_sub(MAX_URL_BYTES))?;
    Ok(Some(url))
}

/// The text of a `Location`. Bytes beyond ASCII are percent-encoded as they are, whatever characters they were
/// meant to be: browsers do so, and a server that sent them in a link gets them back.
fn escaped(location: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(location)
        && text.is_ascii()
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(location.len() + 64);
    for byte in location {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            // writing to a String cannot fail
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(locations: &[&[u8]]) -> Result<Option<String>, Fault> {
        let from = Url::parse("http://a.example/x/y?z#f").unwrap();
        let value = |location: &&[u8]| HeaderValue::from_bytes(location).unwrap();
        let headers = locations
            .iter()
            .map(|location| (header::LOCATION, value(location)));
        let found = destination(&from, &headers.collect())?;
        Ok(found.map(String::from))
    }

    #[test]
    fn a_location_is_read_as_browsers_read_it() {
        for (location, url) in [
            (&b"/caf\xe9"[..], "http://a.example/caf%E9"),
            (
                "/caf\u{e9}?\u{e9}".as_bytes(),
                "http://a.example/caf%C3%A9?%C3%A9",
            ),
            (b"/?\xe9", "http://a.example/?%E9"),
            (b"/caf%e9", "http://a.example/caf%e9"),
            (
                "http://b\u{fc}cher.example/".as_bytes(),
                "http://xn--bcher-kva.example/",
            ),
            (b"  /b\t", "http://a.example/b"),
            (b"/a b", "http://a.example/a%20b"),
            (b"\\b\\c", "http://a.example/b/c"),
            (b"//b.example/c", "http://b.example/c"),
            (b"\\\\b.example\\c", "http://b.example/c"),
            (b"https:b", "https://b/"),
            (b"http:b", "http://a.example/x/b"),
            (b"HTTP://B.Example:80/c", "http://b.example/c"),
            (b"?q", "http://a.example/x/y?q"),
            (b"#there", "http://a.example/x/y?z"),
            (b"../../../b", "http://a.example/b"),
            (b"b#c", "http://a.example/x/b"),
        ] {
            let found = leads_to(&[location]).unwrap();
            assert_eq!(found.as_deref(), Some(url), "{}", location.escape_ascii());
        }
        assert_eq!(
            leads_to(&[b" ", b"/b", b"/c"]).unwrap().as_deref(),
            Some("http://a.example/b")
        );
        assert_eq!(leads_to(&[b""]).unwrap(), None);
        assert_eq!(leads_to(&[]).unwrap(), None);
    }

    #[test]
    fn a_location_may_be_as_long_as_a_request_can_say() {
        let long = |bytes: usize| format!("/{}", "a".repeat(bytes - "http://a.example/".len()));
        assert!(leads_to(&[long(MAX_BYTES).as_bytes()]).unwrap().is_some());
        let fault = leads_to(&[long(MAX_BYTES + 1).as_bytes()]).unwrap_err();
        assert!(
            fault.message.ends_with("is 8129 bytes long; at most 8128"),
            "{fault}"
        );
    }

    #[test]
    fn a_password_in_a_location_is_not_shown() {
        let fault = leads_to(&[b"http://me:hunter2@b.example/"]).unwrap_err();
        let said = "redirect: Location carries a user name or password for \"b.example\"";
        assert_eq!(fault.to_string(), said);
    }
}
