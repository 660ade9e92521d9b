//! The `curl` command that asks what a check asks. Secrets stay what they are in the site's row,
//! `${secret:NAME}`: in single quotes a shell takes them as they stand. Nothing of a site's row is more to
//! `curl` than a value: no file is read, no further option is taken, no other protocol is spoken.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use contract::site::auth::Auth;
use contract::site::proxy::{Login, Proxy};
use contract::site::request::{Extent, Family};
use contract::site::{Request, Template, parse_url};
use contract::task::Task;
use contract::text::is_harmless;
use url::Url;

use crate::ask::USER_AGENT;

/// Options of every command: one connection of HTTP/1.1, as webmon makes it, and the head is shown. Brackets
/// and braces in a URL are no patterns, and a redirect leads to no file.
const ALWAYS: &str =
    "curl --globoff --proto '=http,https' --include --silent --show-error --http1.1 --compressed";

/// The command.
pub(super) fn command(task: &Task, request: &Request) -> String {
    let mut words = vec![ALWAYS.to_owned()];
    let seconds = f64::from(task.timeout_ms) / 1_000.0;
    words.push(format!("--max-time {seconds}"));
    words.push(option("--user-agent", USER_AGENT));
    words.extend(method(request));
    match request.ip {
        Family::Any => {}
        Family::V4 => words.push("--ipv4".to_owned()),
        Family::V6 => words.push("--ipv6".to_owned()),
    }
    words.extend(request.proxy.as_deref().map(proxy));
    if request.redirects > 0 {
        words.push(format!("--location --max-redirs {}", request.redirects));
    }
    for (name, value) in &request.headers {
        words.push(option("--header", &header(name, value.as_written())));
    }
    words.extend(request.auth.as_ref().map(credentials));
    if let Some(body) = &request.body {
        words.push(option("--data-raw", body.as_written()));
    }
    words.extend(tls(request));
    let (url, connect_to) = target(task, request);
    words.extend(connect_to);
    words.push(quoted(&url));
    words.join(" ")
}

/// The method, where it is not the one that `curl` takes by itself.
fn method(request: &Request) -> Option<String> {
    match (request.method.as_str(), &request.body) {
        ("HEAD", None) => Some("--head".to_owned()),
        // as `curl` reads no body
        (method, None) if request.read == Extent::Head => {
            Some(format!("--head {}", option("--request", method)))
        }
        ("GET", None) | ("POST", Some(_)) => None,
        (method, _) => Some(option("--request", method)),
    }
}

/// A header; one without a value needs another sign, as `curl` takes `Name:` for its removal.
fn header(name: &str, value: &str) -> String {
    if value.is_empty() {
        format!("{name};")
    } else {
        format!("{name}: {value}")
    }
}

/// The credentials.
fn credentials(auth: &Auth) -> String {
    let user = |username: &Template, password: &Template| {
        let pair = format!("{}:{}", username.as_written(), password.as_written());
        option("--user", &pair)
    };
    match auth {
        Auth::Basic { username, password } => user(username, password),
        Auth::Digest { username, password } => format!("--digest {}", user(username, password)),
        Auth::Bearer(token) => {
            let header = format!("Authorization: Bearer {}", token.as_written());
            option("--header", &header)
        }
    }
}

/// The proxy, with its port: without one `curl` takes 1080.
fn proxy(Proxy { url, login }: &Proxy) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let mut words = option("--proxy", &format!("http://{host}:{port}"));
    if let Some(Login { username, password }) = login {
        let pair = format!("{}:{}", username.as_written(), password.as_written());
        words = format!("{words} {}", option("--proxy-user", &pair));
    }
    words
}

/// Certificates are files for `curl`: the names say which part of the site belongs into which.
fn tls(request: &Request) -> Vec<String> {
    let tls = &request.tls;
    let mut words = Vec::new();
    if !tls.ca.is_empty() {
        words.push("--cacert ca.pem".to_owned());
    }
    if tls.identity.is_some() {
        words.push("--cert certificate.pem --key key.pem".to_owned());
    }
    if !tls.verify {
        words.push("--insecure".to_owned());
    }
    words
}

/// The URL, and where to connect when the certificate is to be for another name: `curl` takes both
/// names from the URL.
fn target(task: &Task, request: &Request) -> (String, Vec<String>) {
    let Ok(mut url) = parse_url(&task.url) else {
        return (task.url.clone(), Vec::new());
    };
    url.set_fragment(None);
    let Some(name) = request.tls.server_name.as_deref() else {
        return (url.into(), Vec::new());
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let bracketed = match name.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => name.to_owned(),
    };
    if url.scheme() != "https" || url.set_host(Some(&bracketed)).is_err() {
        return (url.into(), Vec::new());
    }
    let route = format!("{bracketed}:{port}:{host}:{port}");
    let words = vec![
        option("--connect-to", &route),
        option("--header", &header("Host", &authority(&host, &url))),
    ];
    (url.into(), words)
}

/// The host of a URL with its port, as the header `Host` names it.
fn authority(host: &str, url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// An option and its value.
fn option(name: &str, value: &str) -> String {
    format!("{name} {}", quoted(value))
}

/// A word as a shell takes it whole, and as it does a terminal no harm.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&b);
    if !text.is_empty() && !text.starts_with(['-', '=']) && text.bytes().all(plain) {
        return text.to_owned();
    }
    if !text.chars().all(|c| c == '\n' || is_harmless(c)) {
        return escaped(text);
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A word with escapes, as bash, zsh and ksh know them.
fn escaped(text: &str) -> String {
    let mut word = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            c if is_harmless(c) => word.push(c),
            c => {
                // three octal digits: no digit that follows can belong to them
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // writing to a String cannot fail
                    let _infallible = write!(word, "\\{byte:03o}");
                }
            }
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
#[path = "curl_tests.rs"]
mod tests;
