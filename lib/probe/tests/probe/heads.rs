//! Heads: how large they may be, and how sloppy.

use contract::outcome::Reason;

use crate::case::{down, headless, run, table, up};
use crate::hostile::{Act, Server};
use crate::{STARTED, prober, task};

/// What is said of a head that is too long.
const LONG: &str = "receive: the response's head is longer than 16 KiB";
/// What is said of too many lines.
const MANY: &str = "receive: the response has more than 128 header lines";
/// What a status line begins with.
const OK: &str = "HTTP/1.1 200 OK\r\n";

/// A head of exactly so many bytes, without a body.
fn head(bytes: usize) -> Vec<u8> {
    let start = format!("{OK}Content-Length: 0\r\nX-A: ");
    let fill = "a".repeat(bytes - start.len() - 4);
    format!("{start}{fill}\r\n\r\n").into_bytes()
}

/// A head of exactly so many header lines, without a body.
fn lines(count: usize) -> Act {
    let others = "A: b\r\n".repeat(count - 1);
    Act::send(&format!("{OK}{others}Content-Length: 0\r\n\r\n"))
}

#[test]
fn heads_may_have_16_kib_and_128_lines_and_no_more() {
    let name_bytes = |count: usize| Act::send(&format!("{OK}{}: b\r\n\r\n", "n".repeat(count)));
    let large = Reason::TooLarge;
    run(vec![
        up("16 KiB", Act::Send(head(16 * 1024))).body(0),
        down(
            "16 KiB and a byte",
            Act::Send(head(16 * 1024 + 1)),
            large,
            LONG,
        ),
        down("17 KB", Act::Send(head(17_000)), large, LONG),
        down("a header of 1 MB", Act::Send(head(1_000_000)), large, LONG),
        down(
            "a header without end",
            Act::Endless("HTTP/1.1 200 OK\r\nX-A: "),
            large,
            LONG,
        ),
        down("a header's name without end", Act::Endless(OK), large, LONG),
        headless(
            "a reason phrase without end",
            Act::Endless("HTTP/1.1 200 "),
            large,
            LONG,
        ),
        headless(
            "empty lines without end",
            Act::Repeat(vec![], b"\r\n".to_vec()),
            large,
            LONG,
        ),
        up("128 lines", lines(128)).body(0),
        down("129 lines", lines(129), large, MANY),
        down("thousands of lines", lines(5_000), large, MANY),
        down(
            "lines without end",
            Act::Repeat(OK.as_bytes().to_vec(), b"A: b\r\n".to_vec()),
            large,
            MANY,
        ),
        up("a name of 15 KB", name_bytes(15_000)),
        up(
            "a head of the longest length after an interim response",
            Act::Send([&b"HTTP/1.1 103 Early Hints\r\n\r\n"[..], &head(16 * 1024)].concat()),
        ),
        up("16 KiB byte by byte", Act::Bytes(head(16 * 1024))),
    ]);
}

#[test]
fn status_lines_that_are_merely_sloppy_are_read() {
    let read = |name, sent: &[u8]| up(name, Act::Send(sent.to_vec())).body(5);
    table(
        "sloppy-status-lines",
        vec![
            read("no reason phrase", b"HTTP/1.1 200\r\n\r\nhello"),
            read("an empty reason phrase", b"HTTP/1.1 200 \r\n\r\nhello"),
            read(
                "Latin-1 in the reason phrase",
                b"HTTP/1.1 200 \xe9t\xe9\r\n\r\nhello",
            ),
            read(
                "empty lines before the status",
                b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello",
            ),
            read("two blanks", b"HTTP/1.1  200 OK\r\n\r\nhello"),
            read("a tab", b"HTTP/1.1\t200\tOK\r\n\r\nhello"),
            read("no blank behind the status", b"HTTP/1.1 200OK\r\n\r\nhello"),
            read(
                "a status with a second number",
                b"HTTP/1.1 200.1 OK\r\n\r\nhello",
            ),
            read("small letters", b"http/1.1 200 OK\r\n\r\nhello"),
            read("HTTP/1.2", b"HTTP/1.2 200 OK\r\n\r\nhello"),
            read("HTTP/2.0", b"HTTP/2.0 200 OK\r\n\r\nhello"),
            read("HTTP/2", b"HTTP/2 200\r\n\r\nhello"),
        ],
    );
}

#[test]
fn heads_that_are_merely_sloppy_are_read() {
    let read = |name, sent: &[u8]| up(name, Act::Send(sent.to_vec())).body(5);
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
    let with = |name, lines: &str| up(name, Act::send(&format!("{sized}{lines}\r\nhello"))).body(5);
    table(
        "sloppy-heads",
        vec![
            read("bare LF", b"HTTP/1.1 200 OK\nX-A: b\n\nhello"),
            read(
                "Latin-1 in a value",
                b"HTTP/1.1 200 OK\r\nX-A: \xe9\r\n\r\nhello",
            ),
            read("an empty value", b"HTTP/1.1 200 OK\r\nX-A:\r\n\r\nhello"),
            read(
                "no blank after the colon",
                b"HTTP/1.1 200 OK\r\nX-A:b\r\n\r\nhello",
            ),
            read("LF and CR LF", b"HTTP/1.1 200 OK\nX-A: b\r\n\nhello"),
            read("CR CR LF", b"HTTP/1.1 200 OK\r\r\nX-A: b\r\r\n\r\r\nhello"),
            with("a bare CR in a value", "X-A: b\rc\r\n"),
            with("a control character in a value", "X-A: b\x01\x7fc\r\n"),
            with(
                "a blank before the colon",
                "Access-Control-Allow-Credentials : true\r\n",
            ),
            with(
                "a folded line",
                "Content-Security-Policy: \r\n\tdefault-src 'self';\r\n  script-src a\r\n",
            ),
            with("a blank line that is none", "X-A: b\r\n \r\n"),
            with("no colon", "X-A\r\n"),
            with("no name", ": b\r\n"),
            with("a name that is no ASCII", "X-é: b\r\n"),
            with(
                "a warning of PHP",
                "PHP Warning: Unable to load in Unknown on line 0\r\n",
            ),
            with(
                "a name of words",
                "Strict Transport Security: max-age=1\r\nX-B: c\r\n",
            ),
            with(
                "more than 128 lines that are folded",
                &format!("X-A:\r\n{}", " b\r\n".repeat(500)),
            ),
            up(
                "a blank before the first name",
                Act::send("HTTP/1.1 200 OK\r\n X-A: b\r\nContent-Length: 5\r\n\r\nhello"),
            )
            .body(5),
            up(
                "sloppy lines byte by byte",
                Act::Bytes(format!("{sized}X-A : b\r\n c\r\nno header\r\n\r\nhello").into_bytes()),
            )
            .body(5),
        ],
    );
}

#[test]
fn what_a_sloppy_head_says_is_judged() {
    let head = "HTTP/1.1 200 OK\r\nno header\r\n too\r\nX-Folded: a\r\n\t b\r\nX-Blank \t: c\r\nX-Latin: caf\u{e9}\x01\r\n\r\n";
    let expect = r#"{"headers": {"X-Folded": {"equals": "a b"}, "X-Blank": {"equals": "c"}, "X-Latin": {"present": true}}}"#;
    run(vec![up("a sloppy head", Act::send(head)).expect(expect)]);
    let server = Server::start(vec![Act::send(head)]);
    let watched = prober().watch(&task(&server.url("/"), "{}", "{}"), STARTED);
    let passed_over = watched.hops[0].passed_over.as_deref();
    assert_eq!(passed_over, Some("\"no header\""), "{watched:?}");
}
