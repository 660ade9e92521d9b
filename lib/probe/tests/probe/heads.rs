//! Heads: how large they may be, and how sloppy.

use contract::outcome::Reason;

use crate::case::{Case, headless, run, up};
use crate::hostile::Act;

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
        headless(
            "16 KiB and a byte",
            Act::Send(head(16 * 1024 + 1)),
            large,
            LONG,
        ),
        headless("17 KB", Act::Send(head(17_000)), large, LONG),
        headless("a header of 1 MB", Act::Send(head(1_000_000)), large, LONG),
        headless(
            "a header without end",
            Act::Endless("HTTP/1.1 200 OK\r\nX-A: "),
            large,
            LONG,
        ),
        headless("a header's name without end", Act::Endless(OK), large, LONG),
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
        headless("129 lines", lines(129), large, MANY),
        headless("thousands of lines", lines(5_000), large, MANY),
        headless(
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
fn what_is_not_http_is_a_protocol_error() {
    let refused = |name, sent: &[u8]| -> Case {
        let said = "receive: http parse fail";
        headless(name, Act::Send(sent.to_vec()), Reason::Protocol, said)
    };
    run(vec![
        refused("SMTP", b"220 mail.example ESMTP\r\n\r\n"),
        refused("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        refused("HTTP/0.9", b"<html>hello</html>\r\n"),
        refused(
            "HTTP/2",
            b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0",
        ),
        refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        refused("a TLS alert", b"\x15\x03\x01\0\x02\x02\x0a\0\0"),
        refused("NUL alone", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        refused("HTTP/1.2", b"HTTP/1.2 200 OK\r\n\r\n"),
        refused("HTTP/2.0", b"HTTP/2.0 200 OK\r\n\r\n"),
        refused("http/1.1", b"http/1.1 200 OK\r\n\r\n"),
        refused("ICY", b"ICY 200 OK\r\n\r\n"),
        refused("a request", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        refused("status 099", b"HTTP/1.1 099 Low\r\n\r\n"),
        refused("status 99", b"HTTP/1.1 99 Low\r\n\r\n"),
        refused("status 000", b"HTTP/1.1 000 Zero\r\n\r\n"),
        refused("status 1000", b"HTTP/1.1 1000 High\r\n\r\n"),
        refused("status -20", b"HTTP/1.1 -20 Low\r\n\r\n"),
        refused("status 0x1", b"HTTP/1.1 0x1 Hex\r\n\r\n"),
        refused("no status", b"HTTP/1.1\r\n\r\n"),
        refused("two blanks", b"HTTP/1.1  200 OK\r\n\r\n"),
        refused("NUL in the reason phrase", b"HTTP/1.1 200 O\0K\r\n\r\n"),
        refused("NUL in a name", b"HTTP/1.1 200 OK\r\nX\0A: b\r\n\r\n"),
        refused("NUL in a value", b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n"),
        refused(
            "a bare CR in a value",
            b"HTTP/1.1 200 OK\r\nX-A: b\rc\r\n\r\n",
        ),
        refused(
            "a blank before the colon",
            b"HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n",
        ),
        refused(
            "a blank before the name",
            b"HTTP/1.1 200 OK\r\n X-A: b\r\n\r\n",
        ),
        refused("a folded line", b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n"),
        refused("no colon", b"HTTP/1.1 200 OK\r\nX-A\r\n\r\n"),
        refused("no name", b"HTTP/1.1 200 OK\r\n: b\r\n\r\n"),
        refused(
            "a name that is no ASCII",
            "HTTP/1.1 200 OK\r\nX-é: b\r\n\r\n".as_bytes(),
        ),
    ]);
}

#[test]
fn heads_that_are_merely_sloppy_are_read() {
    let read = |name, sent: &[u8]| up(name, Act::Send(sent.to_vec())).body(5);
    run(vec![
        read("bare LF", b"HTTP/1.1 200 OK\nX-A: b\n\nhello"),
        read("no reason phrase", b"HTTP/1.1 200\r\n\r\nhello"),
        read("an empty reason phrase", b"HTTP/1.1 200 \r\n\r\nhello"),
        read(
            "Latin-1 in the reason phrase",
            b"HTTP/1.1 200 \xe9t\xe9\r\n\r\nhello",
        ),
        read(
            "Latin-1 in a value",
            b"HTTP/1.1 200 OK\r\nX-A: \xe9\r\n\r\nhello",
        ),
        read("an empty value", b"HTTP/1.1 200 OK\r\nX-A:\r\n\r\nhello"),
        read(
            "no blank after the colon",
            b"HTTP/1.1 200 OK\r\nX-A:b\r\n\r\nhello",
        ),
        read(
            "empty lines before the status",
            b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello",
        ),
    ]);
}
