//! Which servers and paths a cookie is for (RFC 6265bis, 5.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The domain that a cookie is for, and whether it is for that host alone.
pub(super) fn domain(written: Option<&[u8]>, url: &Url) -> Result<(String, bool), &'static str> {
    let host = url.host_str().unwrap_or_default();
    let Some(written) = written else {
        return Ok((host.to_owned(), true));
    };
    let text = str::from_utf8(written).unwrap_or_default();
    match Host::parse(text) {
        Ok(domain) if domain.to_string() == host => {
            // that of an address, or of one label, has no hosts below it
            let alone = !matches!(&domain, Host::Domain(name) if name.contains('.'));
            Ok((host.to_owned(), alone))
        }
        Ok(Host::Domain(domain)) if is_within(host, &domain) => {
            if domain.contains('.') {
                Ok((domain, false))
            } else {
                Err("its Domain is a whole top-level domain")
            }
        }
        _ => Err("its Domain is not this server's"),
    }
}

/// Whether `host` is `domain` or below it. An address is below nothing.
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    let Some(rest) = host.strip_suffix(domain) else {
        return false;
    };
    rest.is_empty() || (rest.ends_with('.') && matches!(Host::parse(host), Ok(Host::Domain(_))))
}

/// Whether `path` is `within` or below it.
pub(super) fn path_within(path: &[u8], within: &[u8]) -> bool {
    path.strip_prefix(within)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || within.ends_with(b"/"))
}

/// The path that a cookie is for where it says none: that of the request up to its last slash.
pub(super) fn default_path(url: &Url) -> &str {
    match url.path().rsplit_once('/') {
        Some((path, _)) if !path.is_empty() => path,
        _ => "/",
    }
}

/// Whether `Secure` cookies may come and go there: over HTTPS, or to this machine itself, as browsers have it.
pub(super) fn is_safe(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
            Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
            None => false,
        }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
