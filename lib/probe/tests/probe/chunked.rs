//! Bodies in chunks.

use contract::outcome::Reason;

use crate::case::{Case, down, hangs, run, up};
use crate::hostile::Act;

/// A chunked answer's head.
const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn chunks(sent: &str) -> Act {
    Act::send(&format!("{HEAD}{sent}"))
}

fn head() -> Vec<u8> {
    HEAD.as_bytes().to_vec()
}

#[test]
fn chunks_are_put_together() {
    let whole = |name, sent: &str| up(name, chunks(sent)).body(5);
    run(vec![
        whole("one chunk", "5\r\nhello\r\n0\r\n\r\n"),
        whole(
            "five chunks",
            "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
        ),
        whole("leading zeros", "0005\r\nhello\r\n000\r\n\r\n"),
        whole("a plus", "+5\r\nhello\r\n0\r\n\r\n"),
        whole("a blank behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
        whole("an extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n"),
        whole("a trailer", "5\r\nhello\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n"),
        whole(
            "a trailer that is no header",
            "5\r\nhello\r\n0\r\nzz\r\n\r\n",
        ),
        whole("no empty line at the end", "5\r\nhello\r\n0\r\n"),
        whole(
            "noise behind the end",
            "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n",
        ),
        up("no chunk", chunks("0\r\n\r\n")).body(0),
        up("upper case", chunks("A\r\n0123456789\r\n0\r\n\r\n")).body(10),
        up(
            "byte by byte",
            Act::Bytes(format!("{HEAD}5\r\nhello\r\n0\r\n\r\n").into_bytes()),
        )
        .body(5),
        up(
            "chunks without end",
            Act::Repeat(head(), b"5\r\nhello\r\n".to_vec()),
        )
        .body(64 * 1024),
        up(
            "a chunk without end",
            Act::Repeat(
                format!("{HEAD}7fffffffffffffff\r\n").into_bytes(),
                b"x".to_vec(),
            ),
        )
        .body(64 * 1024),
    ]);
}

#[test]
fn chunks_that_are_none_are_protocol_errors() {
    let refused =
        |name, sent: &str| -> Case { down(name, chunks(sent), Reason::Protocol, "receive: chunk") };
    run(vec![
        refused("no number", "zz\r\n"),
        refused("no size", "\r\nhello"),
        refused("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        refused("0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        refused("a size beyond 64 bits", "10000000000000000\r\nhello"),
        refused("a size that is no UTF-8", "5\u{e9}\r\nhello"),
        refused(
            "a long extension",
            "5;name=a-longer-value\r\nhello\r\n0\r\n\r\n",
        ),
        refused("more than the size", "5\r\nhello!\r\n0\r\n\r\n"),
        down(
            "a size without end",
            Act::Repeat(head(), b"1".to_vec()),
            Reason::TooLarge,
            "receive: a line between the body's chunks is longer than 16 KiB",
        ),
        down(
            "a trailer without end",
            Act::Repeat(format!("{HEAD}0\r\nX-A: ").into_bytes(), b"x".to_vec()),
            Reason::TooLarge,
            "receive: a line between the body's chunks is longer than 16 KiB",
        ),
        down(
            "trailers without end",
            Act::Repeat(format!("{HEAD}0\r\n").into_bytes(), b"X-A: b\r\n".to_vec()),
            Reason::TooLarge,
            "receive: the response has too many bytes for what is in it",
        ),
    ]);
}

#[test]
fn chunks_that_do_not_come_are_resets_or_timeouts() {
    let closed = "receive: the server closed the connection before the response was complete";
    let cut = |name, sent: &str| down(name, chunks(sent), Reason::Reset, closed);
    let hanging = |name, act| hangs(name, act, Some(200));
    run(vec![
        cut("no chunk and closed", ""),
        cut("half a size and closed", "5"),
        cut("half a chunk and closed", "5\r\nhel"),
        cut("no last chunk and closed", "5\r\nhello\r\n"),
        cut("no CRLF behind a chunk and closed", "5\r\nhello"),
        hanging(
            "no last chunk",
            Act::HangAfter("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        )
        .body(5),
        hanging(
            "no empty line behind the last chunk",
            Act::HangAfter("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
        )
        .body(0),
    ]);
}
