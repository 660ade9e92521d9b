//! Cookies within one check: gates that set one and lead back to themselves.

use contract::outcome::Reason;

use crate::case::{down, run, up};
use crate::check;
use crate::hostile::{Act, Server};

/// A redirect with these cookies.
fn gate(location: &str, cookies: &[&str]) -> Act {
    let lines = cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}\r\n"));
    let lines: String = lines.collect();
    Act::send(&format!(
        "HTTP/1.1 302 Found\r\n{lines}Location: {location}\r\n\r\n"
    ))
}

/// The cookies of a request, if it has any.
fn cookies(request: &str) -> Option<&str> {
    request
        .lines()
        .find_map(|line| line.strip_prefix("cookie: "))
}

#[test]
fn a_gate_is_passed_with_the_cookie_that_it_sets() {
    run(vec![
        up("to itself", gate("/", &["seen=1; Path=/"]))
            .then([Act::ok("hello")])
            .body(5),
        up("two gates", gate("/", &["a=1"])).then([gate("/", &["b=1"]), Act::ok("hello")]),
        up("another value each time", gate("/", &["a=1"])).then([
            gate("/", &["a=2"]),
            gate("/", &["a=3"]),
            Act::ok("hello"),
        ]),
        up("there and back", gate("/b", &["a=1"])).then([Act::to("/"), Act::ok("hello")]),
        up("a cookie of any bytes", gate("/", &["a=\u{e9}\"; x"])).then([Act::ok("hello")]),
    ]);
}

#[test]
fn a_loop_names_the_cookie_and_never_its_value() {
    let cookie = |name, cookies: &[&str], said: &str| {
        let said = format!("redirect: a loop: back to \"http://127.0.0.1:PORT/\"; {said}");
        (name, gate("/", cookies), said)
    };
    for (name, act, said) in [
        cookie(
            "deleted",
            &["seen=; Max-Age=0"],
            "the server deletes the cookie \"seen\"",
        ),
        cookie(
            "of another path",
            &["seen=hunter2; Path=/b"],
            "the server sets the cookie \"seen\", which is not for that address",
        ),
        cookie(
            "of another server",
            &["seen=hunter2; Domain=b.example", "other=1; Path=/b"],
            "the server sets the cookie \"seen\", which is not sent back: its Domain is not this server's",
        ),
        cookie(
            "with a prefix",
            &["__Host-seen=hunter2"],
            "the server sets the cookie \"__Host-seen\", which is not sent back: its name asks for Secure, for Path=/, and \
             for no Domain",
        ),
    ] {
        let server = Server::start(vec![act]);
        let url = server.url("/");
        let result = check(&url, "{}", "{}");
        let said = said.replace("http://127.0.0.1:PORT/", &url);
        assert_eq!(result.reason, Some(Reason::Redirects), "{name}");
        assert_eq!(result.detail, Some(said), "{name}");
    }
    let again = "hop 2: redirect: a loop: back to ";
    let many = "hop 11: redirect: more than 10 redirects; the next is to ";
    let numbered = (1..11).map(|n| gate("/", &[&format!("sid={n}")]));
    run(vec![
        down(
            "set again",
            gate("/", &["seen=1"]),
            Reason::Redirects,
            again,
        )
        .then([gate("/", &["seen=1"])])
        .status(302),
        down(
            "another one each time",
            gate("/", &["sid=0"]),
            Reason::Redirects,
            many,
        )
        .then(numbered)
        .status(302),
    ]);
}

#[test]
fn cookies_go_to_the_servers_that_they_are_for_and_to_no_other() {
    let first = Server::start(vec![
        gate("/same", &["a=1; Path=/", "b=2; Path=/other", "c=3"]),
        Act::ok("hello"),
    ]);
    let request = r#"{"headers": {"Cookie": "own=0; c=own"}}"#;
    let result = check(&first.url("/"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let requests = first.requests();
    assert_eq!(cookies(&requests[0]), Some("own=0; c=own"));
    // the site's own cookies come first, and keep their values
    assert_eq!(cookies(&requests[1]), Some("own=0; c=own; a=1"));

    // another host gets neither the site's cookies nor those of the first; it gets its own
    let second = Server::start(vec![gate("/again", &["d=4"]), Act::ok("hello")]);
    let elsewhere = second.url("/").replace("127.0.0.1", "localhost");
    let first = Server::start(vec![gate(&elsewhere, &["a=1"])]);
    let result = check(&first.url("/"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let requests = second.requests();
    assert_eq!(
        [cookies(&requests[0]), cookies(&requests[1])],
        [None, Some("d=4")]
    );
}

#[test]
fn the_cookies_of_one_check_are_forgotten_by_the_next() {
    let server = Server::start(vec![
        gate("/", &["a=1"]),
        Act::ok("hello"),
        Act::ok("hello"),
    ]);
    let url = server.url("/");
    assert_eq!(check(&url, "{}", "{}").reason, None);
    assert_eq!(check(&url, "{}", "{}").reason, None);
    let requests = server.requests();
    let sent: Vec<_> = requests.iter().map(|request| cookies(request)).collect();
    assert_eq!(sent, [None, Some("a=1"), None]);
}
