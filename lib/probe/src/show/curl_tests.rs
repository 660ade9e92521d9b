//! Commands for requests of every kind.

use super::*;
use crate::fixtures;

fn shown(url: &str, request: &str) -> String {
    let task = fixtures::task(url);
    let command = command(&task, &Request::parse(request).unwrap());
    let start = format!("{ALWAYS} --max-time 10 --user-agent {USER_AGENT} ");
    command.strip_prefix(&start).unwrap().to_owned()
}

#[test]
fn every_option_of_a_request_is_said() {
    for (request, said) in [
        ("{}", "--location --max-redirs 10"),
        (r#"{"redirects": 0}"#, ""),
        (
            r#"{"redirects": 0, "method": "HEAD", "ip": 6}"#,
            "--head --ipv6",
        ),
        (
            r#"{"redirects": 0, "method": "POST", "body": "it's", "headers": {"X-Y": "a b", "X-Z": ""}}"#,
            r"--header 'X-Y: a b' --header 'X-Z;' --data-raw 'it'\''s'",
        ),
        (
            r#"{"redirects": 0, "basic": {"username": "me", "password": "${secret:PW}"}}"#,
            "--user 'me:${secret:PW}'",
        ),
        (
            r#"{"redirects": 0, "digest": {"username": "me", "password": "${secret:PW}"}}"#,
            "--digest --user 'me:${secret:PW}'",
        ),
        (
            r#"{"redirects": 0, "bearer": "${secret:T}", "tls": {"verify": false}}"#,
            "--header 'Authorization: Bearer ${secret:T}' --insecure",
        ),
        (
            r#"{"redirects": 0, "proxy": "http://proxy.example"}"#,
            "--proxy http://proxy.example:80",
        ),
        (
            r#"{"redirects": 0, "proxy": {"url": "http://[::1]:3128", "username": "me", "password": "${secret:PW}"}}"#,
            "--proxy 'http://[::1]:3128' --proxy-user 'me:${secret:PW}'",
        ),
        (
            r#"{"redirects": 0, "read": "head"}"#,
            "--head --request GET",
        ),
        (
            r#"{"redirects": 0, "method": "DELETE", "body": "x"}"#,
            "--request DELETE --data-raw x",
        ),
    ] {
        let url = "https://shop.example/a?b=1";
        let words = [said, "'https://shop.example/a?b=1'"].join(" ");
        assert_eq!(shown(url, request), words.trim_start(), "{request}");
    }
}

#[test]
fn nothing_of_a_row_is_more_than_a_value() {
    let url = |url: &str| {
        let shown = shown(url, r#"{"redirects": 0}"#);
        assert!(ALWAYS.contains(" --globoff ") && ALWAYS.contains(" --proto '=http,https' "));
        shown
    };
    assert_eq!(
        url("http://a/{x,y}[1-9]?q=`id`"),
        "'http://a/%7Bx,y%7D[1-9]?q=`id`'"
    );
    for (request, said) in [
        (
            r#"{"method": "POST", "body": "@/etc/passwd"}"#,
            "--data-raw @/etc/passwd",
        ),
        (
            r#"{"method": "POST", "body": "--next"}"#,
            "--data-raw '--next'",
        ),
        (
            r#"{"headers": {"X-A": "@/etc/passwd"}}"#,
            "--header 'X-A: @/etc/passwd'",
        ),
        (
            r#"{"method": "POST", "body": "a\u001b[31m'\\\u202e1\nb"}"#,
            r"--data-raw $'a\033[31m\'\\\342\200\2561\012b'",
        ),
    ] {
        let request = request.replacen('{', r#"{"redirects": 0, "#, 1);
        assert_eq!(shown("http://a/", &request), format!("{said} http://a/"));
    }
}

#[test]
fn another_server_name_is_where_curl_takes_it_from() {
    let request = r#"{"redirects": 0, "tls": {"server_name": "shop.example"}}"#;
    assert_eq!(
        shown("https://10.0.0.1:8443/x", request),
        "--connect-to shop.example:8443:10.0.0.1:8443 --header 'Host: 10.0.0.1:8443' https://shop.example:8443/x"
    );
    assert_eq!(shown("http://10.0.0.1/x", request), "http://10.0.0.1/x");
}
