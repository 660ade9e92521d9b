//! Compressed bodies, and what compression can hide.

use contract::outcome::Reason;

use crate::BODY_LIMIT;
use crate::case::{Case, down, hangs, run, up};
use crate::hostile::{Act, GZIP_HELLO, Server};

/// A gzip header without name or date.
const HEADER: &[u8] = &[31, 139, 8, 0, 0, 0, 0, 0, 0, 255];
/// A stored block without a byte in it.
const EMPTY_BLOCK: &[u8] = &[0, 0, 0, 255, 255];
/// A member that decodes to nothing.
const EMPTY_MEMBER: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 0, 255, 1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// What is said of a body that is not what its encoding says.
const INVALID: &str = "receive: the body is no valid gzip";

/// The head of a compressed answer, with these other lines.
fn head(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{lines}\r\n").into_bytes()
}

/// A compressed answer that ends with the connection.
fn answer(parts: &[&[u8]]) -> Act {
    Act::Send([&head(""), parts.concat().as_slice()].concat())
}

/// A compressed answer that goes on with `unit` for ever.
fn endless(start: &[u8], unit: &[u8]) -> Act {
    Act::Repeat([&head(""), start].concat(), unit.to_vec())
}

/// A member without end of which each 13 bytes decode to 2,064.
fn bomb() -> Act {
    // the fixed code of RFC 1951: a literal `x`, then again and again 258 bytes from one byte back
    let bits = format!("010{}{}", "10101000", "1100010100000".repeat(16));
    let byte = |bits: &[u8]| {
        bits.iter()
            .rev()
            .fold(0, |byte, bit| (byte << 1) | (bit - b'0'))
    };
    let bytes: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
    endless(&[HEADER, &bytes[..2]].concat(), &bytes[2..15])
}

#[test]
fn a_compressed_body_is_judged_and_counted_as_it_reads() {
    let matches = r#"{"body": [{"matches": "^hello$"}]}"#;
    let server = Server::start(vec![answer(&[GZIP_HELLO])]);
    let result = crate::check(&server.url("/"), "{}", matches);
    assert_eq!(result.reason, None, "{result:?}");
    assert_eq!(result.measured.body_bytes, Some(5));
    assert!(server.requests()[0].contains("Accept-Encoding: gzip\r\n"));
    let sized = [&head("Content-Length: 25\r\n"), GZIP_HELLO].concat();
    let mut chunked = [
        &head("Transfer-Encoding: chunked\r\n"),
        b"19\r\n".as_slice(),
    ]
    .concat();
    chunked.extend([GZIP_HELLO, b"\r\n0\r\n\r\n"].concat());
    run(vec![
        up("with a length", Act::Send(sized.clone()))
            .expect(matches)
            .body(5),
        up("byte by byte", Act::Bytes(sized))
            .expect(matches)
            .body(5),
        up("in chunks", Act::Send(chunked)).expect(matches).body(5),
        up("two members", answer(&[GZIP_HELLO, GZIP_HELLO]))
            .expect(r#"{"body": [{"matches": "^hellohello$"}]}"#)
            .body(10),
        up("an empty member", answer(&[EMPTY_MEMBER])).body(0),
        up(
            "a member, and what is none",
            answer(&[GZIP_HELLO, b"garbage after the end"]),
        )
        .expect(matches)
        .body(5),
        up("a member, and zeros", answer(&[GZIP_HELLO, &[0; 64]])).body(5),
        up(
            "an empty member and another",
            answer(&[EMPTY_MEMBER, GZIP_HELLO]),
        )
        .body(5),
    ]);
}

#[test]
fn what_has_no_body_has_none_that_could_be_invalid() {
    let status = |status: u16| {
        let sent = format!("HTTP/1.1 {status} X\r\nContent-Encoding: gzip\r\n\r\n");
        Act::send(&sent)
    };
    let chunkless = [&head("Transfer-Encoding: chunked\r\n"), &b"0\r\n\r\n"[..]].concat();
    run(vec![
        up("HEAD", Act::Send(head("Content-Length: 25\r\n")))
            .request(r#"{"method": "HEAD"}"#)
            .body(0),
        up(
            "HEAD of chunks",
            Act::Send(head("Transfer-Encoding: chunked\r\n")),
        )
        .request(r#"{"method": "HEAD"}"#)
        .body(0),
        up(
            "a length of nothing",
            Act::Send(head("Content-Length: 0\r\n")),
        )
        .body(0),
        up("204", status(204)).status(204).body(0),
        up("304", status(304))
            .expect(r#"{"status": [304]}"#)
            .status(304)
            .body(0),
        up("nothing until the end", answer(&[])).body(0),
        up("no chunk", Act::Send(chunkless)).body(0),
    ]);
}

#[test]
fn what_is_no_gzip_is_an_encoding_error() {
    let invalid =
        |name, parts: &[&[u8]]| -> Case { down(name, answer(parts), Reason::Encoding, INVALID) };
    let with = |place: usize, byte: u8| {
        let mut member = GZIP_HELLO.to_vec();
        member[place] = byte;
        member
    };
    let cut = &GZIP_HELLO[..15];
    run(vec![
        invalid("plain text", &[b"hello, but not compressed"]),
        invalid(
            "zlib",
            &[&[
                0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 6, 0x2c, 2, 0x15,
            ]],
        ),
        invalid("another method", &[&with(2, 7)]),
        invalid("reserved flags", &[&with(3, 0xe0)]),
        invalid("no deflate", &[&with(10, 0xff)]),
        invalid("a wrong checksum", &[&with(17, 0)]),
        invalid("a wrong length", &[&with(21, 6)]),
        down(
            "a member that ends early",
            Act::Send([&head("Content-Length: 15\r\n"), cut].concat()),
            Reason::Encoding,
            INVALID,
        ),
        down(
            "a connection that ends early",
            Act::Send([&head("Content-Length: 25\r\n"), cut].concat()),
            Reason::Reset,
            "receive: the server closed the connection before the response was complete",
        ),
        down(
            "a connection that ends in a member without a length",
            answer(&[cut]),
            Reason::Reset,
            "receive: the server closed the connection before the response was complete",
        ),
        hangs(
            "a server that stops in the header",
            Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f"),
            Some(200),
        ),
    ]);
}

#[test]
fn a_bomb_is_counted_and_cut_like_any_body() {
    let large = Reason::TooLarge;
    let needs = "expect: the body is larger than the checker's body_limit";
    let nothing = "receive: the response has too many bytes for what is in it";
    let named = [31, 139, 8, 8, 0, 0, 0, 0, 0, 255];
    let blocks = EMPTY_BLOCK.repeat(1_000_000);
    run(vec![
        up("a bomb", bomb()).body(BODY_LIMIT),
        up("a bomb with what is expected in it", bomb())
            .expect(r#"{"body": [{"contains": "xxx"}]}"#)
            .body(BODY_LIMIT),
        down("a bomb that must be read", bomb(), large, needs)
            .expect(r#"{"body": [{"contains": "end"}]}"#)
            .body(BODY_LIMIT),
        down(
            "a bomb of a size",
            bomb(),
            Reason::Size,
            "expect: the body has more than 1000 bytes",
        )
        .expect(r#"{"max_size": 1000}"#),
        down(
            "5 MB of nothing",
            answer(&[HEADER, &blocks]),
            large,
            nothing,
        )
        .within_ms(4_000),
        down(
            "blocks of nothing without end",
            endless(HEADER, EMPTY_BLOCK),
            large,
            nothing,
        )
        .within_ms(4_000)
        .body(0),
        down(
            "members of nothing without end",
            endless(&[], EMPTY_MEMBER),
            large,
            nothing,
        )
        .within_ms(4_000)
        .body(0),
        down(
            "a name without end",
            endless(&named, b"x"),
            Reason::Encoding,
            INVALID,
        ),
    ]);
}
