//! What `request.proxy` accepts, and how it refuses the rest.

use super::*;
use crate::site::Request;

/// The proxy of a request, or what is said of it.
fn read(value: &str) -> Result<Proxy, String> {
    let request = Request::parse(&format!(r#"{{"proxy": {value}}}"#));
    let request = request.map_err(|error| error.to_string())?;
    Ok(*request.proxy.unwrap())
}

#[test]
fn a_proxy_is_an_address() {
    for (text, url) in [
        ("http://proxy.example:3128", "http://proxy.example:3128/"),
        ("HTTP://Proxy.Example/", "http://proxy.example/"),
        ("http://proxy.example:80", "http://proxy.example/"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("http://0x7f.1:8080", "http://127.0.0.1:8080/"),
    ] {
        for value in [format!("{text:?}"), format!(r#"{{"url": {text:?}}}"#)] {
            let proxy = read(&value).unwrap();
            assert_eq!((proxy.url.as_str(), proxy.login), (url, None), "{value}");
        }
    }
}

#[test]
fn a_login_stands_beside_the_address_and_prints_nothing() {
    let value =
        r#"{"url": "http://p:1", "username": "me ${secret:U}", "password": "hunter2 ${secret:P}"}"#;
    let proxy = read(value).unwrap();
    let login = proxy.login.as_ref().unwrap();
    assert_eq!(login.username.as_written(), "me ${secret:U}");
    assert_eq!(login.password.as_written(), "hunter2 ${secret:P}");
    assert!(!format!("{proxy:?}").contains("hunter2"), "{proxy:?}");
    // they are not the site's
    let request = Request::parse(&format!(r#"{{"proxy": {value}}}"#)).unwrap();
    assert_eq!(request.secrets().count(), 0);
}

/// What is refused, and the words.
const NONSENSE: &[(&str, &str)] = &[
    (
        "1",
        r#"proxy: is a number; write "http://proxy.example:3128", or an object like {"url": "http://proxy.example:3128", "username": "me", "password": "…"}"#,
    ),
    (
        r#""proxy.example:3128""#,
        "proxy: lacks the scheme; write one like http://proxy.example:3128",
    ),
    (
        r#""""#,
        "proxy: is no proxy; to take away the one of the defaults, write nothing after the key",
    ),
    (
        r#""none""#,
        "proxy: is no proxy; to take away the one of the defaults, write nothing after the key",
    ),
    (
        r#""https://proxy.example:3129""#,
        "proxy: webmon speaks to proxies without TLS; write one like http://proxy.example:3128",
    ),
    (
        r#""socks5h://proxy.example:1080""#,
        "proxy: webmon speaks HTTP to proxies, not SOCKS; write one like http://proxy.example:3128",
    ),
    (
        r#""ftp://proxy.example""#,
        "proxy: its scheme is not http; write one like http://proxy.example:3128",
    ),
    (
        r#""http://me:hunter2@proxy.example""#,
        "proxy: carries a user name or password; write {url: http://proxy.example:3128, username: …, password: …}",
    ),
    (
        r#""http://proxy.example/path""#,
        "proxy: has more than scheme, host and port; write one like http://proxy.example:3128",
    ),
    (
        r#""http://proxy.example/?q""#,
        "proxy: has more than scheme, host and port; write one like http://proxy.example:3128",
    ),
    (
        r#""http://proxy.example:70000""#,
        "proxy: is no address of a proxy; write one like http://proxy.example:3128",
    ),
    (
        r#""http://${secret:PROXY}""#,
        "proxy: is no address of a proxy; write one like http://proxy.example:3128",
    ),
    (r#"{"username": "me"}"#, "proxy: lacks url; add it"),
    (
        r#"{"url": "http://p", "user": "me"}"#,
        "proxy.user: unknown key; known are url, username, password",
    ),
    (
        r#"{"url": "p:3128"}"#,
        "proxy.url: lacks the scheme; write one like http://proxy.example:3128",
    ),
    (
        r#"{"url": "http://p", "username": "me"}"#,
        "proxy.username: needs a password beside it; add password: ${secret:NAME}",
    ),
    (
        r#"{"url": "http://p", "password": "x"}"#,
        "proxy.password: needs a username beside it; add it",
    ),
    (
        r#"{"url": "http://p", "username": "a:b", "password": ""}"#,
        "proxy.username: contains a colon, which ends a user name; remove it",
    ),
    (
        r#"{"url": "http://p", "username": "a", "password": "\n"}"#,
        "proxy.password: contains a control character; remove it",
    ),
];

#[test]
fn nonsense_is_refused_with_its_place_and_the_remedy() {
    for (value, said) in NONSENSE {
        assert_eq!(
            read(value).unwrap_err(),
            format!("request.{said}"),
            "{value}"
        );
    }
}

#[test]
fn what_a_proxy_is_shown_stands_in_one_place() {
    let request = r#"{"proxy": "http://p", "headers": {"proxy-authorization": "Basic eA=="}}"#;
    assert_eq!(
        Request::parse(request).unwrap_err().to_string(),
        "request.headers.proxy-authorization: is for the proxy; write username and password into request.proxy"
    );
}
