//! Servers that send a byte now and then: the time of a check holds all the same.

use contract::outcome::Reason;

use crate::case::{Case, hangs, headless, run};
use crate::hostile::{Act, GZIP_HELLO};

fn drip(start: &str, unit: &str) -> Act {
    Act::Drip(start.as_bytes().to_vec(), unit.as_bytes().to_vec())
}

#[test]
fn a_timeout_comes_when_the_time_is_up_whatever_the_server_trickles() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    let head = |name, start: &str, unit: &str| hangs(name, drip(start, unit), None);
    let body = |name, start: &str, unit: &str| hangs(name, drip(start, unit), Some(200));
    let zipped = [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        GZIP_HELLO,
    ]
    .concat();
    run(vec![
        head("a head", "", &format!("{OK}X-Long: {}", "a".repeat(100))),
        head("empty lines", "", "\r\n"),
        head("a status line", "HTTP/1.1 200 ", "x"),
        head("a header's name", OK, "x"),
        head("a header's value", "HTTP/1.1 200 OK\r\nX-A: ", "x"),
        head("header lines", OK, "A: b\r\n"),
        head("an interim response", "", INTERIM),
        head("interim responses", &INTERIM.repeat(50), INTERIM),
        body("a body", "HTTP/1.1 200 OK\r\n\r\n", "x"),
        body(
            "a body with a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
            "x",
        ),
        body("a chunk's size", CHUNKED, "0"),
        body("a chunk", &format!("{CHUNKED}ff\r\n"), "x"),
        body("chunks", CHUNKED, "1\r\nx\r\n"),
        body("a trailer", &format!("{CHUNKED}0\r\n"), "x"),
        hangs(
            "a compressed body",
            Act::Drip(zipped, GZIP_HELLO.to_vec()),
            Some(200),
        ),
        behind_a_redirect(),
    ]);
}

/// The time is the check's, not a connection's.
fn behind_a_redirect() -> Case {
    let redirect = Act::to("/b");
    let said = "hop 2: wait: the response's head did not come within 400 ms";
    let case = headless("behind a redirect", redirect, Reason::ResponseTimeout, said);
    case.then([Act::HangAfter("")]).times_out()
}
