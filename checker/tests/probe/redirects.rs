//! From one hop to the next.

use contract::outcome::Reason;

use crate::hostile::{Act, Server};
use crate::{ALL, check, detail, phases};

/// Checks a server that plays `acts`: the reason, the status, and how the detail begins.
fn assert_end(acts: &[Act], request: &str, end: (Option<Reason>, u16), said: &str) {
    let server = Server::start(acts.to_vec());
    let result = check(&server.url("/"), request, "{}");
    let found = (result.reason, result.measured.status);
    assert_eq!(found, (end.0, Some(end.1)), "{acts:?}: {result:?}");
    assert!(detail(&result).starts_with(said), "{acts:?}: {result:?}");
}

#[test]
fn redirects_are_followed_to_the_last_response() {
    let ok = || Act::ok("hello");
    assert_end(&[Act::to("/b"), Act::to("c"), ok()], "{}", (None, 200), "");
    // the body of a redirect is not read
    let endless = Act::Endless("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n");
    assert_end(&[endless, ok()], "{}", (None, 200), "");
    let status = |status| (Some(Reason::Status), status);
    let none = r#"{"redirects": 0}"#;
    assert_end(&[Act::to("/b")], none, status(302), "expect: status 302");
    let unchanged = Act::send("HTTP/1.1 304 Not Modified\r\n\r\n");
    assert_end(&[unchanged], "{}", status(304), "expect: status 304");
}

#[test]
fn redirects_that_lead_nowhere_are_down() {
    let down = (Some(Reason::Redirects), 302);
    let said = "hop 2: redirect: more than 1 redirects; the next is to ";
    assert_end(
        &[Act::to("/b"), Act::to("/c")],
        r#"{"redirects": 1}"#,
        down,
        said,
    );
    assert_end(&[Act::to("/")], "{}", down, "redirect: a loop: back to ");
    assert_end(
        &[Act::to("/b"), Act::to("/")],
        "{}",
        down,
        "hop 2: redirect: a loop",
    );
    for (location, said) in [
        (
            "ftp://a.example/",
            "redirect: Location \"ftp://a.example/\" scheme",
        ),
        ("http://u:p@a.example/", "redirect: Location"),
        ("http://[", "redirect: Location \"http://[\" is unusable"),
    ] {
        assert_end(&[Act::to(location)], "{}", down, said);
    }
    let nowhere = Act::send("HTTP/1.1 301 Moved\r\n\r\n");
    assert_end(
        &[nowhere],
        "{}",
        (Some(Reason::Redirects), 301),
        "redirect: no Location",
    );
}

#[test]
fn what_belongs_to_the_site_does_not_travel_to_another_origin() {
    let other = Server::start(vec![Act::ok("hello")]);
    let first = Server::start(vec![Act::to("/same"), Act::to(&other.url("/other"))]);
    let request = r#"{"headers": {"X-Key": "k", "Content-Type": "a/b"}, "bearer": "t", "body": "x", "method": "POST"}"#;
    let result = check(&first.url("/"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let same = &first.requests()[1];
    assert!(same.starts_with("GET /same "), "{same}");
    assert!(
        same.contains("x-key: k") && same.contains("Bearer t"),
        "{same}"
    );
    assert!(!same.contains("content-type"), "{same}");
    let sent = &other.requests()[0];
    assert!(sent.starts_with("GET /other "), "{sent}");
    assert!(
        !sent.contains("x-key") && !sent.contains("authorization"),
        "{sent}"
    );
}

#[test]
fn a_failure_behind_a_redirect_names_the_hop_and_keeps_the_phases() {
    let server = Server::start(vec![Act::to(&Server::refused_url())]);
    let result = check(&server.url("/"), "{}", "{}");
    assert_eq!(result.reason, Some(Reason::ConnectRefused), "{result:?}");
    assert!(
        detail(&result).starts_with("hop 2: connect: 127.0.0.1:"),
        "{result:?}"
    );
    assert_eq!(phases(&result), ALL);
    assert_eq!(result.measured.status, None);
}
