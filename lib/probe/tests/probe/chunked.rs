//! Bodies in chunks.

use contract::outcome::Reason;

use crate::case::{Case, down, hangs, run, table, up};
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
    table(
        "chunks",
        vec![
            whole("one chunk", "5\r\nhello\r\n0\r\n\r\n"),
            whole(
                "five chunks",
                "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
            ),
            whole("leading zeros", "0005\r\nhello\r\n000\r\n\r\n"),
            whole("a blank behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
            whole("an extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n"),
            whole("a trailer", "5\r\nhello\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n"),
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
        ],
    );
}

#[test]
fn chunks_are_read_as_browsers_read_them() {
    let whole = |name, sent: &str| up(name, chunks(sent)).body(5);
    table(
        "sloppy-chunks",
        vec![
            whole("LF alone", "5\nhello\n0\n\n"),
            whole("CR CR LF", "5\r\r\nhello\r\r\n0\r\r\n\r\r\n"),
            whole(
                "30 leading zeros",
                &format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(30)),
            ),
            whole(
                "30 blanks behind the size",
                &format!("5{}\r\nhello\r\n0\r\n\r\n", " ".repeat(30)),
            ),
            whole(
                "a signed chunk",
                "5;chunk-signature=ad80c730a21e5b8d\r\nhello\r\n0\r\n\r\n",
            ),
            whole(
                "an extension of 15 KB",
                &format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(15_000)),
            ),
            whole(
                "a trailer that is no header",
                "5\r\nhello\r\n0\r\nzz\r\n\r\n",
            ),
            whole("half a trailer and closed", "5\r\nhello\r\n0\r\nX-A"),
            whole("no empty line at the end", "5\r\nhello\r\n0\r\n"),
            whole(
                "noise behind the end",
                "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n",
            ),
        ],
    );
}

#[test]
fn chunks_that_are_none_are_protocol_errors() {
    let refused = |name, sent: &str, line: &str| -> Case {
        let said = format!("receive: a chunk of the body has no size: its line is \"{line}\"");
        down(name, chunks(sent), Reason::Protocol, &said)
    };
    let longer = |name, sent: &str, rest: &str| -> Case {
        let said =
            format!("receive: a chunk of the body has no line end behind it, but \"{rest}\"");
        down(name, chunks(sent), Reason::Protocol, &said)
    };
    table(
        "refused-chunks",
        vec![
            refused("no number", "zz\r\n", "zz"),
            refused(
                "no chunks at all",
                "<html>hello</html>",
                "<html>hello</html>",
            ),
            refused("no size", "\r\nhello", ""),
            refused("a negative size", "-5\r\nhello\r\n0\r\n\r\n", "-5"),
            refused("a plus", "+5\r\nhello\r\n0\r\n\r\n", "+5"),
            refused("0x", "0x5\r\nhello\r\n0\r\n\r\n", "0x5"),
            refused(
                "a size beyond 64 bits",
                "10000000000000000\r\nhello",
                "10000000000000000",
            ),
            refused("a size that is no ASCII", "5\u{e9}\r\nhello", "5é"),
            refused(
                "an empty line between chunks",
                "5\r\nhello\r\n\r\n0\r\n\r\n",
                "",
            )
            .body(5),
            longer("more than the size", "5\r\nhello!\r\n0\r\n\r\n", "!").body(5),
            longer("no line end behind a chunk", "5\r\nhello0\r\n\r\n", "0").body(5),
            down(
                "zeros without end",
                Act::Repeat(head(), b"0".to_vec()),
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
        ],
    );
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
