//! What people write about a site, and what makes sense there.
//!
//! The same rules hold when a sites file is applied and when a checker meets a row that was put in by
//! hand: there the row is refused, here its checks end as `inconclusive` / `invalid_site`.

pub mod auth;
pub mod expect;
pub mod header;
mod json;
pub mod json_path;
pub mod json_rule;
mod json_value;
pub mod pattern;
pub mod proxy;
pub mod request;
pub mod rules;
mod secrets;
pub mod status;
pub mod template;
pub mod tls;

use std::borrow::Cow;

pub use expect::Expect;
pub use pattern::Pattern;
pub use request::Request;
pub use template::Template;
use url::{Host, Url};

use crate::text::{harmless, shortened};

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest URL, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The longest name of a host that the DNS has, in bytes, without a dot at its end (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;
/// The longest part of it between dots, in bytes.
const MAX_LABEL_BYTES: usize = 63;
/// The shortest interval, in milliseconds.
pub const MIN_INTERVAL_MS: i64 = 100;
/// The longest interval, in milliseconds: a day.
pub const MAX_INTERVAL_MS: i64 = 86_400_000;
/// The timeout where a site does not say, in milliseconds (and never longer than the interval).
pub const DEFAULT_TIMEOUT_MS: i32 = 10_000;
/// The longest timeout, in milliseconds: ten minutes (and never longer than the interval).
pub const MAX_TIMEOUT_MS: i64 = 600_000;
/// The longest `request` or `expect`, as JSON text, in bytes.
pub const MAX_OPTIONS_BYTES: usize = 65_536;

/// The longest key that an error names, in characters.
const MAX_KEY_CHARS: usize = 256;
/// The longest message of an error, in characters: it may quote a value.
const MAX_MESSAGE_CHARS: usize = 1_024;

/// What is wrong with a site, where, and what would be right. It prints as one line that does no harm to a
/// terminal: keys and values may come from a stranger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", harmless(key), harmless(message))]
pub struct SiteError {
    /// The key, as a path: `expect.status[1]`.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl SiteError {
    /// An error at `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        let cut = |text: String, limit| match shortened(&text, limit) {
            Cow::Borrowed(_) => text,
            Cow::Owned(short) => short,
        };
        Self {
            key: cut(key.into(), MAX_KEY_CHARS),
            message: cut(message.into(), MAX_MESSAGE_CHARS),
        }
    }
}

/// Parses the address of a site as browsers do (WHATWG): `http` or `https`, no user information, and no
/// host that neither the DNS nor a request could name.
pub fn parse_url(text: &str) -> Result<Url, SiteError> {
    let fault = |message: String| SiteError::new("url", message);
    if text.len() > MAX_URL_BYTES {
        return Err(fault(format!(
            "{} bytes long; at most {MAX_URL_BYTES}",
            text.len()
        )));
    }
    let url = Url::parse(text).map_err(|error| {
        fault(format!(
            "{:?} is no URL ({error}); write https://host/path",
            without_login(text)
        ))
    })?;
    check_url(&url)?;
    Ok(url)
}

/// Checks an address that was parsed, as [`parse_url`] does.
pub fn check_url(url: &Url) -> Result<(), SiteError> {
    let fault = |message: String| SiteError::new("url", message);
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault(format!(
            "scheme {:?} is not probed; use http or https",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault(
            "carries a user name or password; use request.basic".to_owned(),
        ));
    }
    if let Some(Host::Domain(host)) = url.host()
        && !is_host_name(host)
    {
        return Err(fault(format!(
            "host {host:?} can be no name; write letters, digits and hyphens between dots"
        )));
    }
    Ok(())
}

/// An address without what stands before its last `@`, which may be a password.
fn without_login(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => text.to_owned(),
    }
}

/// Whether a host can have this name. Underscores should not be there, but are.
fn is_host_name(host: &str) -> bool {
    let bare = host.strip_suffix('.').unwrap_or(host);
    let fits = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    bare.len() <= MAX_HOST_BYTES && bare.split('.').all(fits)
}

#[cfg(test)]
mod tests;
