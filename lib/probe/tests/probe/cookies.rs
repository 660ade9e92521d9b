//! Cookies within one check: gates that set one and lead back to themselves.

use contract::outcome::Reason;

use crate::case::{Case, down, table, up};
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
        .find_map(|line| line.strip_prefix("Cookie: "))
}

/// A site that is passed after these gates.
fn passed(name: &'static str, first: Act, more: impl IntoIterator<Item = Act>) -> Case {
    up(name, first)
        .then(more.into_iter().chain([Act::ok("hello")]))
        .body(5)
}

/// A gate that lets nothing pass, seen through at hop `hop`.
fn loops(name: &'static str, hop: usize, cookies: &[&str]) -> Case {
    let said = match hop {
        1 => "redirect: a loop: back to ".to_owned(),
        _ => format!("hop {hop}: redirect: a loop: back to "),
    };
    let gates = vec![gate("/", cookies); 12];
    let case = down(name, gate("/", cookies), Reason::Redirects, &said).then(gates);
    case.hops(hop).status(302)
}

#[test]
fn gates_are_passed_and_loops_name_the_cookie_without_its_value() {
    let many = "hop 11: redirect: more than 10 redirects; the next is to ";
    let numbered = (1..11).map(|n| gate("/", &[&format!("sid={n}")]));
    table(
        "cookies",
        vec![
            passed("a gate", gate("/", &["seen=1; Path=/"]), []),
            passed("two gates", gate("/", &["a=1"]), [gate("/", &["b=1"])]),
            passed(
                "another value each time",
                gate("/", &["a=1"]),
                [gate("/", &["a=2"]), gate("/", &["a=3"])],
            ),
            passed("there and back", gate("/b", &["a=1"]), [Act::to("/")]),
            passed("a cookie of any bytes", gate("/", &["a=\u{e9}\"; x"]), []),
            passed("a value without a name", gate("/", &["seen"]), []),
            loops("no cookie", 1, &[]),
            loops("a cookie that is set again", 2, &["seen=hunter2"]),
            loops(
                "a cookie that is deleted",
                1,
                &["seen=; Expires=Thu, 01-Jan-1970 00:00:01 GMT"],
            ),
            loops("a cookie for another path", 1, &["seen=hunter2; Path=/b"]),
            loops(
                "a cookie for another server",
                1,
                &["seen=hunter2; Domain=b.example", "other=1; Path=/b"],
            ),
            loops(
                "a cookie without what its name asks for",
                1,
                &["__Host-seen=hunter2"],
            ),
            loops(
                "a cookie that is too long",
                1,
                &[&format!("seen={}", "x".repeat(4_096))],
            ),
            loops("a cookie of the site's own", 1, &["seen=hunter2"])
                .request(r#"{"headers": {"Cookie": "seen=0"}}"#),
            down(
                "another cookie each time",
                gate("/", &["sid=0"]),
                Reason::Redirects,
                many,
            )
            .then(numbered)
            .status(302),
        ],
    );
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
