//! An origin: the scheme, host and port of a server, as `secrets.hosts` names it and a URL has it.

use std::fmt;
use std::net::Ipv6Addr;

use contract::site::parse_url;
use url::Url;

/// What a list of origins looks like when one of its entries cannot be read.
const EXAMPLES: &str = "must be an origin like `https://shop.example` or `http://127.0.0.1:8080`";

/// The scheme, host and port of a server, in the one form in which two of them can be compared: in lower
/// case, in punycode, without the usual port, without the dot at the end of a full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL.
    pub fn of(url: &Url) -> Self {
        let scheme = url.scheme();
        let host = full_name(url.host_str().unwrap_or_default());
        Self(match url.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    }

    /// Reads an origin as a person writes it; the error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains('*') {
            return Err("must be one origin, without `*`: list each origin".to_owned());
        }
        // Without the slashes `shop.example:8080` is a URL, too: of the scheme `shop.example`.
        let Some((scheme, _)) = text.split_once("://") else {
            return Err(without_scheme(text));
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err(format!("{EXAMPLES}, of http or https"));
        }
        let url = Url::parse(text).map_err(|_| EXAMPLES.to_owned())?;
        let origin = Self::of(&url);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "holds a user name or password: write `{origin}` alone"
            ));
        }
        parse_url(url.as_str()).map_err(|_| EXAMPLES.to_owned())?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "has more than scheme, host and port, which binds nothing: write `{origin}`"
            ));
        }
        Ok(origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name without the dot at its end. It means the same where another dot makes it a full name; without one
/// the DNS may complete a bare name, but not the name with the dot.
fn full_name(host: &str) -> &str {
    match host.strip_suffix('.') {
        Some(name) if name.contains('.') => name,
        _ => host,
    }
}

/// What is said of a host alone: the scheme and port decide which server reads a secret, so neither is guessed.
fn without_scheme(text: &str) -> String {
    let host = match text.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => text.to_owned(),
    };
    match Origin::parse(&format!("https://{host}")) {
        Ok(origin) => format!("lacks the scheme: write `{origin}`"),
        Err(_) => EXAMPLES.to_owned(),
    }
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
