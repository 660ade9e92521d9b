//! From one hop to the next.

use contract::outcome::Reason;

use crate::case::{Case, down, headless, run, table, up};
use crate::check;
use crate::hostile::{Act, Server};

/// A redirect of this status.
fn moved(status: u16, location: &str) -> Act {
    Act::send(&format!(
        "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\n\r\n"
    ))
}

fn ok() -> [Act; 1] {
    [Act::ok("hello")]
}

/// A redirect to these bytes.
fn bytes(location: &[u8]) -> Act {
    let head: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: ";
    Act::Send([head, location, b"\r\n\r\n"].concat())
}

/// A server of its own that answers one request; its URL.
fn other() -> String {
    Server::start(ok().to_vec()).url("/other")
}

#[test]
fn redirects_are_followed_to_the_last_response() {
    let to = |name, location: &str| up(name, Act::to(location)).then(ok()).body(5);
    let by = |name, status| up(name, moved(status, "/b")).then(ok()).body(5);
    // the body of a redirect is not read
    let endless = Act::Endless("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n");
    let gzip = "HTTP/1.1 302 Found\r\nContent-Encoding: gzip\r\nLocation: /b\r\n\r\nno gzip at all";
    let post = r#"{"method": "POST", "body": "x"}"#;
    let numbered = (1..10).map(|hop| Act::to(&format!("/{hop}")));
    run(vec![
        to("a path", "/b"),
        to("a relative path", "c"),
        to("a path upwards", "../../c"),
        to("a query", "?q"),
        to("a path with a tab in it", "/\tb"),
        to("a path with a fragment", "/b#c"),
        up(
            "without a scheme",
            Act::to(other().trim_start_matches("http:")),
        )
        .hops(2),
        up("another port", Act::to(&other())).hops(2),
        up("two", Act::to("/b")).then([Act::to("c"), Act::ok("hello")]),
        up("ten", Act::to("/first")).then(numbered.chain(ok())),
        by("301", 301),
        by("303", 303),
        by("307", 307),
        by("308", 308),
        by("307 of a POST to the same origin", 307).request(post),
        up("an endless body on the way", endless).then(ok()).body(5),
        up("no gzip on the way", Act::send(gzip)).then(ok()).body(5),
        up(
            "a body that hangs on the way",
            Act::HangAfter("HTTP/1.1 302 Found\r\nContent-Length: 9\r\nLocation: /b\r\n\r\n"),
        )
        .then(ok())
        .body(5),
    ]);
}

#[test]
fn what_asks_for_no_redirect_is_judged_by_its_status() {
    let stays = |name, status: u16, act| {
        let said = format!("expect: status {status}, expected 2xx");
        down(name, act, Reason::Status, &said).status(status)
    };
    let unchanged = Act::send("HTTP/1.1 304 Not Modified\r\n\r\n");
    run(vec![
        stays("300", 300, moved(300, "/b")),
        stays("304", 304, unchanged),
        stays("304 with a Location", 304, moved(304, "/b")),
        stays("305", 305, moved(305, "http://proxy.example/")),
        stays("306", 306, moved(306, "/b")),
        stays("a site that follows none", 302, Act::to("/b")).request(r#"{"redirects": 0}"#),
        up("201 with a Location", moved(201, "/b")).status(201),
    ]);
}

#[test]
fn a_location_that_is_folded_is_followed_and_one_with_a_zero_byte_is_not_read() {
    let found = |location: &str| {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n");
        Act::send(&head)
    };
    let zero = "receive: a line of the response's head has a zero byte: \"Location: /a·b\"";
    run(vec![
        down("a zero byte", found("/a\0b"), Reason::Protocol, zero).status(302),
        up("a folded line", found("/a\n b")).then([Act::ok("hello")]),
    ]);
}

#[test]
fn redirects_that_lead_nowhere_are_down() {
    let nowhere = |name, location: &str, said: &str| {
        let said = format!("redirect: {said}");
        down(name, Act::to(location), Reason::Redirects, &said).status(302)
    };
    let unusable = |name, location: &str| nowhere(name, location, "Location \"");
    let away = moved(307, &other());
    let post = r#"{"method": "POST", "body": "x"}"#;
    run(vec![
        unusable("another scheme", "ftp://a.example/"),
        unusable("javascript", "javascript:alert(1)"),
        unusable("data", "data:text/html,hello"),
        unusable("a file", "file:///etc/passwd"),
        unusable("mail", "mailto:me@a.example"),
        unusable("half an address", "http://["),
        unusable("a port beyond", "http://a.example:65536/"),
        unusable("no host", "http:///"),
        unusable("a host that can be no name", "http://s`op.example/"),
        unusable("8 KiB", &format!("/{}", "a".repeat(8_192))),
        nowhere("a fragment", "#there", "a loop: back to "),
        nowhere("itself", "/", "a loop: back to "),
        down(
            "307 of a POST to another origin",
            away,
            Reason::Redirects,
            "redirect: 307 to \"http://127.0.0.1:",
        )
        .request(post)
        .status(307),
        headless(
            "a head without its end",
            Act::send("HTTP/1.1 302 Found\r\nLocation: /b\r\n"),
            Reason::Reset,
            "receive: the server closed",
        ),
    ]);
}

#[test]
fn redirects_end_somewhere() {
    let chain = |hops: usize| (1..hops).map(|hop| Act::to(&format!("/{hop}")));
    let many = |name, first: usize, said: &str| -> Case {
        let case = down(name, Act::to("/0"), Reason::Redirects, said);
        case.then(chain(first)).status(302)
    };
    run(vec![
        many(
            "without end",
            11,
            "hop 11: redirect: more than 10 redirects; the next is to ",
        ),
        many(
            "more than one",
            2,
            "hop 2: redirect: more than 1 redirects; the next is to ",
        )
        .request(r#"{"redirects": 1}"#),
        many(
            "more than the most",
            21,
            "hop 21: redirect: more than 20 redirects",
        )
        .request(r#"{"redirects": 20}"#),
        down(
            "there and back",
            Act::to("/b"),
            Reason::Redirects,
            "hop 2: redirect: a loop",
        )
        .then([Act::to("/")])
        .status(302),
        down(
            "a loop of three",
            Act::to("/b"),
            Reason::Redirects,
            "hop 4: redirect: a loop",
        )
        .then(["/c", "/d", "/b"].map(Act::to))
        .status(302),
    ]);
}

#[test]
fn a_failure_behind_a_redirect_names_the_hop_and_keeps_the_phases() {
    let refused = Act::to(&Server::refused_url());
    let private = |name, host: &str| {
        let act = Act::to(&format!("http://{host}/"));
        let said = format!("hop 2: connect: {host} ");
        headless(name, act, Reason::Redirects, &said).hops(2)
    };
    let reset = "hop 2: wait: the server closed the connection before the response was complete";
    run(vec![
        headless(
            "refused",
            refused,
            Reason::ConnectRefused,
            "hop 2: connect: 127.0.0.1:",
        )
        .hops(2),
        private("a private address", "10.0.0.1"),
        private("metadata", "169.254.169.254"),
        private("unspecified", "0.0.0.0"),
        headless("closed", Act::to("/b"), Reason::Reset, reset).then([Act::send("")]),
        down(
            "a status",
            Act::to("/b"),
            Reason::Status,
            "hop 2: expect: status 404",
        )
        .then([Act::send("HTTP/1.1 404 Not Found\r\n\r\n")])
        .status(404),
    ]);
}

#[test]
fn a_location_is_read_as_browsers_read_it() {
    let to = |name, location: &str| up(name, Act::to(location)).then(ok()).body(5);
    let stays = |name, act, said: &str| {
        let said = format!("expect: status 302, expected 2xx; {said}");
        down(name, act, Reason::Status, &said).status(302)
    };
    let none = Act::send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    let login = "redirect: Location carries a user name or password for \"a.example\"";
    let cases = vec![
        up("Latin-1", bytes(b"/caf\xe9")).then(ok()).body(5),
        to("UTF-8", "/caf\u{e9}?\u{e9}"),
        to("blanks around", " \t /b \t"),
        to("a blank within", "/a b"),
        to("backslashes", "\\b\\c"),
        to("a fragment", "/b#c"),
        to("6 KiB", &format!("/{}", "a".repeat(6_144))),
        to("the first of two", "/b\r\nLocation: http://["),
        to("the first that is not empty", "\r\nLocation: /b"),
        stays("none", none.clone(), "it has no Location to follow"),
        stays("an empty one", Act::to(""), "it has no Location to follow"),
        up("none, as expected", none)
            .status(302)
            .expect(r#"{"status": [302]}"#),
        down(
            "a login",
            Act::to("http://me:pw@a.example/"),
            Reason::Redirects,
            login,
        )
        .status(302),
        down(
            "another scheme",
            Act::to("ftp://a.example/"),
            Reason::Redirects,
            "redirect: Location ",
        )
        .status(302),
    ];
    table("locations", cases);
}

#[test]
fn bytes_beyond_ascii_are_asked_for_as_they_were_sent() {
    let server = Server::start(vec![
        bytes(b"/caf\xe9?\xfc"),
        bytes("/caf\u{e9}".as_bytes()),
        Act::ok("menu"),
    ]);
    let result = check(&server.url("/"), "{}", "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let requests = server.requests();
    assert!(
        requests[1].starts_with("GET /caf%E9?%FC HTTP/1.1\r\n"),
        "{requests:?}"
    );
    assert!(
        requests[2].starts_with("GET /caf%C3%A9 HTTP/1.1\r\n"),
        "{requests:?}"
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
        same.contains("X-Key: k") && same.contains("Bearer t"),
        "{same}"
    );
    assert!(!same.to_lowercase().contains("content-type"), "{same}");
    let sent = &other.requests()[0].to_lowercase();
    assert!(sent.starts_with("get /other "), "{sent}");
    assert!(
        !sent.contains("x-key") && !sent.contains("authorization"),
        "{sent}"
    );
}
