//! Bodies without end, and answers of which only the head is read.

use contract::outcome::{Outcome, Reason};

use crate::STARTED;
use crate::case::{down, table, up};
use crate::hostile::Act;
use crate::hostile::Server;
use crate::{TIMEOUT_MS, prober, task};

/// A head of this type, with these other lines.
fn head(status: &str, content_type: &str, lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{lines}\r\n").into_bytes()
}

/// Events, and then nothing for ever.
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: tick 0\n\ndata: tick 1\n\n";
/// Chunks of events, and then nothing for ever.
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: a\n\r\n";
/// A picture, and then nothing for ever.
const PICTURES: &str = "HTTP/1.1 200 OK\r\nContent-Type: Multipart/X-Mixed-Replace; boundary=f\r\n\r\n--f\r\nContent-Type: image/jpeg\r\n";

#[test]
fn a_body_without_end_is_judged_as_soon_as_the_verdict_is_certain() {
    let drip = |unit: &[u8]| {
        Act::Drip(
            head("200 OK", "text/event-stream; charset=utf-8", ""),
            unit.to_vec(),
        )
    };
    table(
        "endless",
        vec![
            up("no expectation on it", Act::HangAfter(EVENTS)),
            up("an expectation on the head", Act::HangAfter(PICTURES))
                .expect(r#"{"headers": {"Content-Type": {"matches": "(?i)replace"}}}"#),
            up("what is there", Act::HangAfter(EVENTS))
                .expect(r#"{"body": [{"contains": "tick 1"}]}"#),
            up("what matches", Act::HangAfter(EVENTS))
                .expect(r#"{"body": [{"matches": "tick [0-9]\\n"}]}"#),
            up("in a chunk", Act::HangAfter(CHUNKS))
                .expect(r#"{"body": [{"contains": "data: a"}]}"#),
            up("a picture", Act::HangAfter(PICTURES)).expect(r#"{"body": [{"contains": "--f"}]}"#),
            up("byte by byte", drip(b"data: a\n\n"))
                .expect(r#"{"body": [{"contains": "a\n\nd"}]}"#),
            up(
                "as fast as it can be read",
                Act::Repeat(head("200 OK", "text/event-stream", ""), b"data\n".to_vec()),
            )
            .expect(r#"{"body": [{"contains": "data"}]}"#),
            down(
                "what must not be there",
                Act::HangAfter(EVENTS),
                Reason::Body,
                "expect: the body contains \"tick 1\"",
            )
            .expect(r#"{"body": [{"not_contains": "tick 1"}]}"#),
            down(
                "a status",
                Act::Repeat(head("500 Oops", "text/event-stream", ""), b"x".to_vec()),
                Reason::Status,
                "expect: status 500",
            )
            .status(500)
            .expect(r#"{"body": [{"contains": "tick"}]}"#),
            down(
                "a size",
                Act::Repeat(head("200 OK", "text/event-stream", ""), b"x".to_vec()),
                Reason::Size,
                "expect: the body has more than 9 bytes",
            )
            .expect(r#"{"max_size": 9}"#),
            down(
                "no json",
                Act::HangAfter(EVENTS),
                Reason::Json,
                "expect: the body is no JSON",
            )
            .expect(r#"{"json": [{"path": "$", "exists": true}]}"#),
        ],
    );
}

#[test]
fn an_expectation_that_needs_the_end_is_named_when_the_time_is_up() {
    let late = |name, said: &str, expect: &str| {
        let said = format!("receive: the body did not end within {TIMEOUT_MS} ms, {said}");
        down(name, Act::HangAfter(EVENTS), Reason::BodyTimeout, &said)
            .expect(expect)
            .times_out()
    };
    let needs =
        |rule: &str| format!("as its type says, and {rule} needs the end; remove that expectation");
    table(
        "endless-timeouts",
        vec![
            late(
                "a text that must not be there",
                &needs("not_contains \"error\""),
                r#"{"body": [{"contains": "tick"}, {"not_contains": "error"}]}"#,
            ),
            late(
                "a pattern that must not match",
                &needs("not_matches \"err\""),
                r#"{"body": [{"not_matches": "err"}]}"#,
            ),
            late("a size", &needs("max_size"), r#"{"max_size": 1000}"#),
            late(
                "a text that does not come",
                "and contains \"tick 9\" did not hold until then",
                r#"{"body": [{"contains": "tick 9"}]}"#,
            ),
        ],
    );
}

#[test]
fn a_body_that_ends_is_judged_to_its_end_whatever_its_type() {
    let ends = |lines: &str, body: &str| {
        Act::Send(
            [
                &*head("200 OK", "text/event-stream", lines),
                body.as_bytes(),
            ]
            .concat(),
        )
    };
    table(
        "endless-types-that-end",
        vec![
            up(
                "with a length",
                ends("Content-Length: 9\r\n", "data: a\n\n"),
            )
            .expect(r#"{"body": [{"not_contains": "b"}]}"#)
            .body(9),
            up("with the connection", ends("", "data: a\n\n"))
                .expect(r#"{"body": [{"not_contains": "b"}], "max_size": 9}"#)
                .body(9),
            up("nothing", ends("", ""))
                .expect(r#"{"body": [{"not_contains": "b"}]}"#)
                .body(0),
            down(
                "what is missing",
                ends("", "data: a\n\n"),
                Reason::Body,
                "expect: the body does not contain \"b\"; it begins with ",
            )
            .expect(r#"{"body": [{"contains": "b"}]}"#),
            down(
                "other types are read to their end",
                Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"),
                Reason::BodyTimeout,
                "receive: the body did not end within ",
            )
            .expect(r#"{"body": [{"contains": "hello"}]}"#)
            .times_out(),
            down(
                "a reset",
                Act::ResetAfter("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata"),
                Reason::Reset,
                "receive: the server reset the connection",
            )
            .expect(r#"{"body": [{"contains": "b"}]}"#),
        ],
    );
}

#[test]
fn only_the_head_is_read_where_the_site_says_so() {
    let read = r#"{"read": "head"}"#;
    let hang = || Act::HangAfter("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhe");
    table("read-head", vec![
        up("a body that does not come", hang()).request(read),
        up("no gzip", Act::send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello")).request(read),
        down("a status", Act::send("HTTP/1.1 503 No\r\n\r\n"), Reason::Status, "expect: status 503")
            .request(read)
            .status(503),
        down("a header", hang(), Reason::Header, "expect: header X-A is not \"2\"; it is \"1\"")
            .request(read)
            .expect(r#"{"headers": {"X-A": {"equals": "2"}}}"#),
        down(
            "an expectation on the body",
            hang(),
            Reason::InvalidSite,
            "request.read: head leaves the body unread, and expect.body needs it; remove one of the two",
        )
        .request(read)
        .expect(r#"{"body": [{"contains": "he"}]}"#)
        .invalid(),
    ]);
}

#[test]
fn what_is_not_read_is_not_counted() {
    let server = Server::start(vec![Act::ok("hello"), Act::HangAfter(EVENTS)]);
    let prober = prober();
    for request in [r#"{"read": "head"}"#, "{}"] {
        let result = prober.check(&task(&server.url("/"), request, "{}"), STARTED);
        let outcome = result.reason.map_or(Outcome::Up, Reason::outcome);
        assert_eq!(
            (outcome, result.measured.body_bytes),
            (Outcome::Up, None),
            "{result:?}"
        );
    }
}
