//! Interim responses: the 1xx before the answer.

use contract::outcome::Reason;

use crate::case::{down, hangs, headless, run, table, up};
use crate::hostile::Act;

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const IIS: &str =
    "HTTP/1.1 100 Continue\r\nServer: Microsoft-IIS/6.0\r\nX-Powered-By: ASP.NET\r\n\r\n";
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\nnoise";

#[test]
fn interim_responses_are_passed_over() {
    let long = format!("{HINTS}HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000));
    table(
        "interim",
        vec![
            up("one 100", Act::send(&format!("{CONTINUE}{ANSWER}"))).body(5),
            up(
                "one 102",
                Act::send(&format!("HTTP/1.1 102 Processing\r\n\r\n{ANSWER}")),
            )
            .body(5),
            up("one 103", Act::send(&format!("{HINTS}{ANSWER}"))).body(5),
            up(
                "a 199",
                Act::send(&format!("HTTP/1.1 199 What\r\n\r\n{ANSWER}")),
            )
            .body(5),
            up("100 with headers", Act::send(&format!("{IIS}{ANSWER}"))).body(5),
            up(
                "100 with headers to a body",
                Act::send(&format!("{IIS}{ANSWER}")),
            )
            .request(r#"{"method": "POST", "body": "ping"}"#)
            .body(5),
            up(
                "100 with 200 headers, sloppily",
                Act::send(&format!(
                    "http/1.1 100\n{}no header\n\n{ANSWER}",
                    "A :b\n c\n".repeat(100)
                )),
            )
            .body(5),
            up(
                "a hundred 100",
                Act::send(&format!("{}{ANSWER}", CONTINUE.repeat(100))),
            )
            .body(5),
            up(
                "a thousand 103",
                Act::send(&format!("{}{ANSWER}", HINTS.repeat(1_000))),
            )
            .body(5),
            up("one 103 and a long body", Act::send(&long)).body(64 * 1024),
            up(
                "100 and 103 byte by byte",
                Act::Bytes(format!("{CONTINUE}{HINTS}{ANSWER}").into_bytes()),
            )
            .body(5),
        ],
    );
}

#[test]
fn interim_responses_are_no_answer() {
    let closed = "receive: the server closed the connection before the response was complete";
    let many = "receive: the response has too many bytes for what is in it";
    let endless = |unit: &str| Act::Repeat(vec![], unit.as_bytes().to_vec());
    run(vec![
        headless("100 without end", endless(CONTINUE), Reason::TooLarge, many).within_ms(4_000),
        headless("103 without end", endless(HINTS), Reason::TooLarge, many).within_ms(4_000),
        headless(
            "100 and the end",
            Act::send(CONTINUE),
            Reason::Reset,
            closed,
        ),
        headless("103 and the end", Act::send(HINTS), Reason::Reset, closed),
        hangs("100 and nothing more", Act::HangAfter(CONTINUE), None),
        hangs("103 and nothing more", Act::HangAfter(HINTS), None),
        down(
            "101",
            Act::send(SWITCHING),
            Reason::Status,
            "expect: status 101, expected 2xx",
        )
        .status(101)
        .body(0),
        up("101 where it is expected", Act::send(SWITCHING))
            .expect(r#"{"status": [101]}"#)
            .status(101)
            .body(0),
    ]);
}
