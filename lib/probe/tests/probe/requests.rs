//! What is sent, where to, and what is not sent at all.

use contract::outcome::Reason;
use probe::{ProbeOptions, Prober};

use crate::STARTED;
use crate::hostile::{Act, Server};
use crate::{check, detail, phases, runtime, task};

#[test]
fn what_the_site_says_is_what_is_sent() {
    let server = Server::start(vec![Act::ok("")]);
    let long = "v".repeat(8_000);
    let request = format!(
        r#"{{"method": "POST", "headers": {{"X-Y": "a b", "x-LONG": "{long}"}}, "body": "hé",
            "basic": {{"username": "me", "password": "pw"}}}}"#
    );
    let result = check(&server.url("/p?q=1#f"), &request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /p?q=1 HTTP/1.1\r\n"), "{sent}");
    for line in [
        "Connection: close\r\n",
        "X-Y: a b\r\n",
        "Authorization: Basic bWU6cHc=\r\n",
        "Content-Length: 3\r\n",
        "User-Agent: webmon/",
        &format!("x-LONG: {long}\r\n"),
    ] {
        assert!(sent.contains(line), "{line}: {sent}");
    }
    assert!(sent.ends_with("\r\n\r\nhé"), "{sent}");
}

#[test]
fn names_of_headers_are_sent_as_the_site_writes_them_also_to_the_same_server_behind_a_redirect() {
    let server = Server::start(vec![Act::to("/b"), Act::ok("")]);
    let request =
        r#"{"headers": {"X-API-Key": "k", "x-small": "s", "user-agent": "u"}, "bearer": "t"}"#;
    let result = check(&server.url("/a"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    for sent in server.requests() {
        for line in [
            "Host: ",
            "X-API-Key: k",
            "x-small: s",
            "user-agent: u",
            "Authorization: Bearer t",
        ] {
            assert!(sent.contains(&format!("\r\n{line}")), "{line}: {sent}");
        }
    }
}

#[test]
fn methods_are_sent_as_they_are() {
    for (request, start, end) in [
        (r#"{"method": "HEAD"}"#, "HEAD / ", "\r\n\r\n"),
        (r#"{"method": "PURGE"}"#, "PURGE / ", "\r\n\r\n"),
        (r#"{"method": "POST"}"#, "POST / ", "\r\n\r\n"),
        (r#"{"method": "GET", "body": "q"}"#, "GET / ", "\r\n\r\nq"),
        (
            r#"{"method": "DELETE", "body": "q"}"#,
            "DELETE / ",
            "\r\n\r\nq",
        ),
    ] {
        let server = Server::start(vec![Act::ok("")]);
        let result = check(&server.url("/"), request, "{}");
        assert_eq!(result.reason, None, "{request}: {result:?}");
        let sent = &server.requests()[0];
        assert!(sent.starts_with(start) && sent.ends_with(end), "{sent}");
    }
}

#[test]
fn a_refused_port_is_a_refused_connection() {
    let result = check(&Server::refused_url(), "{}", "{}");
    assert_eq!(result.reason, Some(Reason::ConnectRefused), "{result:?}");
    assert_eq!(phases(&result), "dns connect");
    assert!(detail(&result).ends_with(": refused"), "{result:?}");
}

#[test]
fn an_address_that_is_not_allowed_is_not_dialled() {
    let closed = Prober::new(&ProbeOptions::default(), runtime()).unwrap();
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let result = closed.check(&task(&format!("http://{host}:9/"), "{}", "{}"), STARTED);
        assert_eq!(result.reason, Some(Reason::AddressRefused), "{result:?}");
        assert_eq!(phases(&result), "dns connect");
        assert_eq!(result.measured.address, None);
        let said = "is not a public address; addresses.allow can admit it";
        assert!(detail(&result).ends_with(said), "{result:?}");
    }
}

#[test]
fn a_task_that_makes_no_sense_is_an_invalid_site() {
    let url = "http://a.example/";
    for (url, request, expect, said) in [
        (
            "ftp://a.example/",
            "{}",
            "{}",
            "url: scheme \"ftp\" is not probed",
        ),
        (url, r#"{"metod": 1}"#, "{}", "request.metod: unknown key"),
        (url, "{}", "[]", "expect: is an array"),
    ] {
        let result = check(url, request, expect);
        assert_eq!(result.reason, Some(Reason::InvalidSite));
        assert!(detail(&result).starts_with(said), "{result:?}");
        assert_eq!(phases(&result), "");
        assert_eq!(result.measured.phases.total_us, None);
    }
}
