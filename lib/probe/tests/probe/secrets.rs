//! Secrets: where they come from, where they go, and that no text shows them.

use std::fs;

use contract::outcome::Reason;
use contract::result::CheckResult;
use probe::{Origin, ProbeOptions, Prober, Secrets, Watched};
use runtime::config::Secret;
use tempfile::TempDir;

use crate::STARTED;
use crate::hostile::{Act, Server};
use crate::{config, detail, phases, runtime, task};

/// A value with characters that URLs escape.
const VALUE: &str = "hunter2 \"hünter3\"";
/// A value that is a token.
const TOKEN: &str = "t0ken-of-the-shop";

/// Where this file's secrets are.
pub(crate) fn secrets(dir: Option<&TempDir>) -> Secrets {
    let variables = [("VALUE", VALUE), ("TOKEN", TOKEN), ("LINES", "one\ntwo")];
    let variables = variables.map(|(name, value)| (name.to_owned(), Secret::new(value)));
    Secrets {
        dir: dir.map(|dir| dir.path().to_owned()),
        variables: variables.into(),
        ..Secrets::default()
    }
}

/// The same with the token bound to the origins of these URLs.
pub(crate) fn bound(mut secrets: Secrets, urls: &[&str]) -> Secrets {
    let origin = |url: &&str| Origin::of(&url.parse().unwrap());
    let origins = urls.iter().map(origin).collect();
    secrets.hosts.insert("TOKEN".to_owned(), origins);
    secrets
}

/// A prober with these secrets.
pub(crate) fn prober(secrets: Secrets) -> Prober {
    let config = ProbeOptions {
        secrets,
        ..config()
    };
    Prober::new(&config, runtime()).unwrap()
}

fn watch(url: &str, request: &str, expect: &str) -> Watched {
    prober(secrets(None)).watch(&task(url, request, expect), STARTED)
}

fn check(url: &str, request: &str, expect: &str) -> CheckResult {
    watch(url, request, expect).result
}

#[test]
fn secrets_arrive_where_the_site_names_them() {
    for (request, arrives) in [
        (
            r#"{"headers": {"X-Key": "<${secret:TOKEN}>"}}"#,
            "X-Key: <t0ken-of-the-shop>\r\n",
        ),
        (
            r#"{"bearer": "${secret:TOKEN}"}"#,
            "Authorization: Bearer t0ken-of-the-shop\r\n",
        ),
        (
            r#"{"basic": {"username": "me", "password": "${secret:TOKEN}"}}"#,
            "Authorization: Basic bWU6dDBrZW4tb2YtdGhlLXNob3A=\r\n",
        ),
        (
            r#"{"method": "POST", "body": "{\"key\": \"${secret:LINES}\"}"}"#,
            "Content-Length: 18\r\n",
        ),
        (
            r#"{"method": "POST", "body": "{\"key\": \"${secret:LINES}\"}"}"#,
            "\r\n\r\n{\"key\": \"one\ntwo\"}",
        ),
    ] {
        let server = Server::start(vec![Act::ok("")]);
        let result = check(&server.url("/"), request, "{}");
        assert_eq!(result.reason, None, "{request}: {result:?}");
        let sent = &server.requests()[0];
        assert!(sent.contains(arrives), "{request}: {sent}");
    }
}

#[test]
fn a_file_that_is_replaced_counts_at_the_next_check_and_before_the_variable() {
    let dir = TempDir::new().unwrap();
    let prober = prober(secrets(Some(&dir)));
    let server = Server::start(vec![Act::ok(""); 3]);
    let task = task(&server.url("/"), r#"{"bearer": "${secret:TOKEN}"}"#, "{}");
    assert_eq!(prober.check(&task, STARTED).reason, None);
    for value in ["first", "second\n"] {
        fs::write(dir.path().join("TOKEN"), value).unwrap();
        assert_eq!(prober.check(&task, STARTED).reason, None);
    }
    let sent = server.requests();
    for (request, token) in sent.iter().zip([TOKEN, "first", "second"]) {
        let line = format!("Authorization: Bearer {token}\r\n");
        assert!(request.contains(&line), "{request}");
    }
}

#[test]
fn without_its_secrets_a_site_is_not_asked() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("EMPTY"), "\n").unwrap();
    let server = Server::start(vec![Act::ok("")]);
    let url = server.url("/").replace("127.0.0.1", "localhost");
    let prober = prober(bound(secrets(Some(&dir)), &["https://shop.example", &url]));
    for (request, said) in [
        (
            r#"{"body": "${secret:NOBODY}"}"#,
            "secret NOBODY: there is neither a file /",
        ),
        (r#"{"body": "${secret:EMPTY}"}"#, "secret EMPTY: /"),
        (
            r#"{"bearer": "${secret:TOKEN}"}"#,
            "secret TOKEN: is not for http://127.0.0.1:",
        ),
        (
            r#"{"headers": {"X-Key": "${secret:LINES}"}}"#,
            "request.headers.X-Key: with ${secret:LINES}: contains a line break",
        ),
    ] {
        // nothing listens there: a check that asked would be refused
        let result = prober.check(&task(&Server::refused_url(), request, "{}"), STARTED);
        assert_eq!(result.reason, Some(Reason::SecretMissing), "{result:?}");
        assert!(detail(&result).starts_with(said), "{result:?}");
        assert_eq!(phases(&result), "", "{result:?}");
        assert_eq!(result.measured.phases.total_us, None);
    }
    let result = prober.check(
        &task(&url, r#"{"bearer": "${secret:TOKEN}"}"#, "{}"),
        STARTED,
    );
    assert_eq!(result.reason, None, "{result:?}");
}

/// What is sent: every secret, in every place.
const ALL_SENT: &str = r#"{"headers": {"X-Key": "${secret:VALUE}"},
    "basic": {"username": "me", "password": "${secret:TOKEN}"}}"#;

#[test]
fn what_a_server_repeats_is_shown_by_the_secrets_names() {
    let pair = "bWU6dDBrZW4tb2YtdGhlLXNob3A=";
    let padding = "x".repeat(60);
    for (answer, expect, said) in [
        (
            format!("200 OK\r\n\r\nno {VALUE}, no me:{TOKEN}"),
            r#"{"body": [{"contains": "welcome"}]}"#,
            "it begins with \"no ${secret:VALUE}, no me:${secret:TOKEN}\"".to_owned(),
        ),
        (
            format!("200 OK\r\n\r\n{padding}{VALUE}"),
            r#"{"body": [{"contains": "welcome"}]}"#,
            format!("it begins with \"{padding}${{se…\""),
        ),
        (
            format!("200 OK\r\nX-Echo: Basic {pair}\r\nContent-Length: 0\r\n\r\n"),
            r#"{"headers": {"X-Echo": {"equals": "none"}}}"#,
            "it is \"Basic ${secret:TOKEN}\"".to_owned(),
        ),
        (
            format!("302 Found\r\nLocation: ftp://a.example/{VALUE}\r\n\r\n"),
            "{}",
            "redirect: Location \"ftp://a.example/${secret:VALUE}\" scheme \"ftp\" is not probed; \
             use http or https"
                .to_owned(),
        ),
        (
            format!("302 Found\r\nLocation: {TOKEN}://a.example/\r\n\r\n"),
            "{}",
            "redirect: Location \"${secret:TOKEN}://a.example/\" scheme \"${secret:TOKEN}\" is not"
                .to_owned(),
        ),
        (
            format!("307 Again\r\nLocation: http://{TOKEN}.example/{VALUE}\r\n\r\n"),
            "{}",
            "redirect: 307 to \"http://${secret:TOKEN}.example/${secret:VALUE}\": POST is"
                .to_owned(),
        ),
    ] {
        let server = Server::start(vec![Act::send(&format!("HTTP/1.1 {answer}"))]);
        let request = ALL_SENT.replacen('{', r#"{"method": "POST", "#, 1);
        let result = check(&server.url("/"), &request, expect);
        assert!(detail(&result).contains(&said), "{answer}: {result:?}");
        for value in ["hunter2", TOKEN, pair, "h%C3%BCnter3"] {
            assert!(!detail(&result).contains(value), "{answer}: {result:?}");
        }
    }
}

#[test]
fn what_is_no_http_shows_no_secret_either() {
    for answer in [
        format!("HTTP/1.1 {TOKEN}\r\n\r\n"),
        format!("{TOKEN} 200 OK\r\n\r\n"),
        format!("HTTP/1.1 200 {TOKEN}\r\nX-{TOKEN}: \0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n"),
        format!("HTTP/1.1 404 {TOKEN}\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let server = Server::start(vec![Act::send(&answer)]);
        let result = check(&server.url("/"), ALL_SENT, "{}");
        assert!(result.reason.is_some(), "{answer}: {result:?}");
        assert!(!detail(&result).contains(TOKEN), "{answer}: {result:?}");
    }
    let server = Server::start(vec![Act::send(&format!(
        "HTTP/1.1 200 OK\r\nX {TOKEN}\r\n\r\n"
    ))]);
    let watched = watch(&server.url("/"), ALL_SENT, "{}");
    let shown = watched.hops[0].passed_over.as_deref();
    assert_eq!(shown, Some("\"X ${secret:TOKEN}\""), "{watched:?}");
}

#[test]
fn the_urls_of_hops_show_no_secret_and_the_server_gets_it_nevertheless() {
    let server = Server::start(vec![
        Act::to(&format!("/a?k={VALUE}&t={TOKEN}")),
        Act::ok("hello"),
    ]);
    let watched = watch(&server.url("/"), ALL_SENT, "{}");
    assert_eq!(watched.result.reason, None, "{watched:?}");
    let url = &watched.hops[1].url;
    assert!(
        url.ends_with("/a?k=${secret:VALUE}&t=${secret:TOKEN}"),
        "{url}"
    );
    let asked = "GET /a?k=hunter2%20%22h%C3%BCnter3%22&t=t0ken-of-the-shop HTTP/1.1\r\n";
    let requests = server.requests();
    assert!(requests[1].starts_with(asked), "{requests:?}");
}

#[test]
fn secrets_do_not_travel_to_another_origin() {
    let other = Server::start(vec![Act::ok("hello")]);
    let first = Server::start(vec![Act::to("/same"), Act::to(&other.url("/other"))]);
    let result = check(&first.url("/"), ALL_SENT, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let same = &first.requests()[1];
    assert!(same.contains("X-Key: hunter2"), "{same}");
    assert!(same.contains("Authorization: Basic "), "{same}");
    let sent = &other.requests()[0];
    assert!(sent.starts_with("GET /other "), "{sent}");
    assert!(
        !sent.contains("hunter2") && !sent.to_lowercase().contains("authorization"),
        "{sent}"
    );
}

#[test]
fn the_secrets_of_one_check_are_forgotten_by_the_next() {
    let expect = r#"{"body": [{"contains": "welcome"}]}"#;
    let prober = prober(secrets(None));
    for (request, shown) in [(ALL_SENT, "${secret:TOKEN}"), ("{}", TOKEN)] {
        let server = Server::start(vec![Act::ok(TOKEN)]);
        let result = prober.check(&task(&server.url("/"), request, expect), STARTED);
        assert!(
            detail(&result).ends_with(&format!("\"{shown}\"")),
            "{result:?}"
        );
    }
}
