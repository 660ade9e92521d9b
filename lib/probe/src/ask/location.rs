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
#[path = "location_tests.rs"]
mod tests;
