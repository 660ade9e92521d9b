//! Answers, and servers that stop half-way.

use contract::outcome::Reason;

use crate::STARTED;
use crate::case::{Case, down, hangs, headless, run, silent, table, up};
use crate::hostile::{Act, Server};
use crate::{WAITED, prober, task};

/// What is said of a connection that ended too early.
const CLOSED: &str = "the server closed the connection before the response was complete";
const RESET: &str = "the server reset the connection before the response was complete";

#[test]
fn answers_are_up_or_down_by_their_status() {
    let status = |line: &str| Act::send(&format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n"));
    let unexpected = |name, line: &str, status_code: u16| {
        let said = format!("expect: status {status_code}, expected 2xx");
        down(name, status(line), Reason::Status, &said).status(status_code)
    };
    table(
        "statuses",
        vec![
            up("200", Act::ok("hello")).body(5),
            up("200 without a body", status("200 OK")).body(0),
            up("201", status("201 Created")).status(201),
            up("299", status("299 Whatever")).status(299),
            unexpected("404", "404 Not Found", 404),
            unexpected("500", "500 Oops", 500),
            unexpected("503", "503 Busy", 503),
            unexpected("599", "599 Whatever", 599),
            unexpected("999", "999 Whatever", 999),
            up(
                "HTTP/1.0 until the end",
                Act::send("HTTP/1.0 200 OK\r\n\r\nuntil the end"),
            )
            .body(13),
            up("no length", Act::send("HTTP/1.1 200 OK\r\n\r\nhello")).body(5),
            up("an endless body", Act::Endless("HTTP/1.1 200 OK\r\n\r\n")).body(64 * 1024),
            up(
                "an endless body with an endless length",
                Act::Endless("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"),
            )
            .body(64 * 1024),
        ],
    );
}

#[test]
fn servers_that_stop_half_way_time_out_in_their_phase() {
    let waits = |name, act| -> Case {
        let said = "wait: the response's head did not come within 400 ms";
        silent(name, act, Reason::ResponseTimeout, said).times_out()
    };
    run(vec![
        waits("no byte", Act::HangAfter("")),
        hangs("half a status", Act::HangAfter("HTTP/1.1 2"), None),
        hangs(
            "half a header",
            Act::HangAfter("HTTP/1.1 200 OK\r\nX-A: "),
            None,
        ),
        hangs(
            "no empty line",
            Act::HangAfter("HTTP/1.1 200 OK\r\nX-A: b\r\n"),
            None,
        ),
        hangs(
            "half a body",
            Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"),
            Some(200),
        )
        .body(3),
        hangs(
            "no byte of a body",
            Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
            Some(200),
        )
        .body(0),
        hangs(
            "no end of a body without a length",
            Act::HangAfter("HTTP/1.1 200 OK\r\n\r\nhello"),
            Some(200),
        )
        .body(5),
        up(
            "a whole body and an open connection",
            Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        )
        .body(5),
        up(
            "no body and an open connection",
            Act::HangAfter("HTTP/1.1 204 No Content\r\n\r\n"),
        )
        .status(204)
        .body(0),
    ]);
}

#[test]
fn connections_that_end_too_early_are_resets() {
    let wait = |what: &str| format!("wait: {what}");
    let receive = |what: &str| format!("receive: {what}");
    run(vec![
        silent(
            "closed before the request",
            Act::Close,
            Reason::Reset,
            "wait: the server ",
        ),
        silent(
            "closed after the request",
            Act::send(""),
            Reason::Reset,
            &wait(CLOSED),
        ),
        silent(
            "reset after the request",
            Act::ResetAfter(""),
            Reason::Reset,
            &wait(RESET),
        ),
        headless(
            "closed in the status",
            Act::send("HTTP/1.1 20"),
            Reason::Reset,
            &receive(CLOSED),
        ),
        headless(
            "closed in a header",
            Act::send("HTTP/1.1 200 OK\r\nX-A: b\r\n"),
            Reason::Reset,
            &receive(CLOSED),
        ),
        headless(
            "reset in a header",
            Act::ResetAfter("HTTP/1.1 200 OK\r\nX-A: b\r\n"),
            Reason::Reset,
            &receive(RESET),
        ),
    ]);
}

#[test]
fn bodies_that_end_too_early_are_resets() {
    const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel";
    let receive = |what: &str| format!("receive: {what}");
    run(vec![
        down(
            "closed in the body",
            Act::send(HALF),
            Reason::Reset,
            &receive(CLOSED),
        )
        .body(3),
        down(
            "reset in the body",
            Act::ResetAfter(HALF),
            Reason::Reset,
            "receive: the server ",
        ),
        down(
            "reset in a body without a length",
            Act::ResetAfter("HTTP/1.1 200 OK\r\n\r\nno length"),
            Reason::Reset,
            &receive(RESET),
        ),
        up(
            "reset after a whole body",
            Act::ResetAfter("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        )
        .body(5),
    ]);
}

#[test]
fn one_check_leaves_no_trace_in_the_next() {
    let prober = prober();
    let other = prober.for_another_lane();
    let acts = vec![Act::ok("hello"), Act::HangAfter(""), Act::ok("hello")];
    let server = Server::start(acts);
    let task = task(&server.url("/"), "{}", "{}");
    let first = prober.check(&task, STARTED);
    let second = other.check(&task, STARTED);
    let third = prober.check(&task, STARTED);
    assert_eq!(first.reason, None);
    assert_eq!(second.reason, Some(Reason::ResponseTimeout));
    assert_eq!(second.measured.status, None);
    assert_eq!(crate::phases(&second), WAITED);
    assert_eq!(third.reason, None);
    assert!(third.measured.phases.total_us < Some(200_000), "{third:?}");
}
