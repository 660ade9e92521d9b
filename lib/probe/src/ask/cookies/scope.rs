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
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_that_of_the_server_or_one_above_it() {
        let other = Err("its Domain is not this server's");
        let top = Err("its Domain is a whole top-level domain");
        for (host, written, found) in [
            ("a.b.example", None, Ok(("a.b.example", true))),
            (
                "a.b.example",
                Some("a.b.example"),
                Ok(("a.b.example", false)),
            ),
            ("a.b.example", Some("B.Example"), Ok(("b.example", false))),
            ("a.b.example", Some("example"), top),
            ("a.b.example", Some("x.a.b.example"), other),
            ("ab.example", Some("b.example"), other),
            ("example", Some("example"), Ok(("example", true))),
            ("localhost", Some("localhost"), Ok(("localhost", true))),
            (
                "b\u{fc}cher.example",
                Some("B\u{dc}CHER.example"),
                Ok(("xn--bcher-kva.example", false)),
            ),
            ("127.0.0.1", Some("127.0.0.1"), Ok(("127.0.0.1", true))),
            ("127.0.0.1", Some("0.1"), other),
            ("127.0.0.1", Some("0.0.1"), other),
            ("[::1]", Some("[::1]"), Ok(("[::1]", true))),
            ("a.example", Some("a b"), other),
        ] {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            let said = domain(written.map(str::as_bytes), &url);
            let found = found.map(|(domain, alone): (&str, bool)| (domain.to_owned(), alone));
            assert_eq!(said, found, "{host} {written:?}");
        }
    }

    #[test]
    fn a_host_is_within_its_domain() {
        for (host, domain, within) in [
            ("a.example", "a.example", true),
            ("b.a.example", "a.example", true),
            ("ba.example", "a.example", false),
            ("a.example", "b.a.example", false),
            ("127.0.0.1", "0.0.1", false),
        ] {
            assert_eq!(is_within(host, domain), within, "{host} {domain}");
        }
    }

    #[test]
    fn a_path_is_within_its_folder() {
        for (path, folder, within) in [
            ("/a/b", "/", true),
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/a/b", "/a/b", true),
            ("/ab", "/a", false),
            ("/a", "/a/", false),
            ("/A", "/a", false),
        ] {
            let found = path_within(path.as_bytes(), folder.as_bytes());
            assert_eq!(found, within, "{path} {folder}");
        }
        for (path, folder) in [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b?c/d", "/a")] {
            let url = Url::parse(&format!("https://a.example{path}")).unwrap();
            assert_eq!(default_path(&url), folder, "{path}");
        }
    }

    #[test]
    fn secure_cookies_travel_over_https_and_within_this_machine() {
        for (url, safe) in [
            ("https://a.example/", true),
            ("http://a.example/", false),
            ("http://localhost/", true),
            ("http://a.localhost/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
        }
    }
}
