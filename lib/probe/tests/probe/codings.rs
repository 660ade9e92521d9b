//! Codings of a body: which are decoded, and what is said of the rest.

use contract::outcome::Reason;

use crate::BODY_LIMIT;
use crate::case::{down, table, up};
use crate::hostile::{Act, GZIP_HELLO};

/// `hello` in zlib's frame.
const ZLIB_HELLO: &[u8] = &[
    0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 6, 0x2c, 2, 0x15,
];
/// `hello` in br: a part that is not compressed, and the end.
const BROTLI_HELLO: &[u8] = &[0x0f, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 3];
/// `hello` in zstd: a frame of one segment with one block that is not compressed.
const ZSTD_HELLO: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, b'h', b'e', b'l', b'l', b'o',
];
/// `hello world, hello world, hello world` in zstd, compressed.
const ZSTD_WORLDS: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0x9d, 0x00, 0x00, 0x68, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20,
    0x77, 0x6f, 0x72, 0x6c, 0x64, 0x2c, 0x20, 0x01, 0x00, 0x00, 0xce, 0x2f, 0xc6, 0xe8, 0xff, 0x89,
];
/// A frame of zstd to be passed over.
const SKIPPABLE: &[u8] = &[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
/// What must be in the body.
const HELLO: &str = r#"{"body": [{"matches": "^hello$"}]}"#;

/// An answer in this coding.
fn coded(coding: &str, parts: &[&[u8]]) -> Act {
    let body = parts.concat();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n"
    );
    Act::Send([head.as_bytes(), &body].concat())
}

#[test]
fn a_body_is_judged_without_its_codings() {
    let hello =
        |name, coding: &str, parts: &[&[u8]]| up(name, coded(coding, parts)).expect(HELLO).body(5);
    let twice = r#"{"body": [{"matches": "^hellohello$"}]}"#;
    table(
        "codings",
        vec![
            hello("gzip", "gzip", &[GZIP_HELLO]),
            hello("in upper case", "GZIP", &[GZIP_HELLO]),
            hello("the old name", "x-gzip", &[GZIP_HELLO]),
            hello("deflate", "deflate", &[ZLIB_HELLO]),
            hello("deflate in mixed case", "Deflate", &[ZLIB_HELLO]),
            hello("deflate without a frame", "deflate", &[&ZLIB_HELLO[2..9]]),
            hello(
                "deflate, and more behind it",
                "deflate",
                &[ZLIB_HELLO, b"more"],
            ),
            hello("br", "br", &[BROTLI_HELLO]),
            hello("br, and more behind it", "br", &[BROTLI_HELLO, b"more"]),
            hello("zstd", "zstd", &[ZSTD_HELLO]),
            hello(
                "zstd behind a frame that is passed over",
                "zstd",
                &[SKIPPABLE, ZSTD_HELLO, SKIPPABLE],
            ),
            hello("zstd, and more behind it", "zstd", &[ZSTD_HELLO, b"more"]),
            up(
                "two frames of zstd",
                coded("zstd", &[ZSTD_HELLO, ZSTD_HELLO]),
            )
            .expect(twice)
            .body(10),
            up("zstd that is compressed", coded("zstd", &[ZSTD_WORLDS]))
                .expect(r#"{"body": [{"matches": "^(hello world(, |$)){3}"}]}"#)
                .body(37),
            hello("none", "identity", &[b"hello"]),
            hello("none by another name", "none", &[b"hello"]),
            hello("a charset", "utf-8", &[b"hello"]),
            hello("an empty name", "", &[b"hello"]),
            hello("a list of one", "identity, gzip", &[GZIP_HELLO]),
        ],
    );
}

#[test]
fn codings_are_taken_away_in_the_order_that_the_head_says() {
    // a block that is not compressed (RFC 1951, 3.2.4), in no frame
    let stored = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap();
        [
            &[1],
            &length.to_le_bytes()[..],
            &(!length).to_le_bytes(),
            bytes,
        ]
        .concat()
    };
    let both = stored(GZIP_HELLO);
    let thrice = stored(&both);
    table(
        "codings-in-lists",
        vec![
            up("two", coded("gzip, deflate", &[&both]))
                .expect(HELLO)
                .body(5),
            up("three", coded("gzip,deflate , DEFLATE", &[&thrice]))
                .expect(HELLO)
                .body(5),
            down(
                "two in the wrong order",
                coded("deflate, gzip", &[&both]),
                Reason::Encoding,
                "receive: the body is no valid gzip",
            ),
        ],
    );
}

#[test]
fn an_empty_body_is_empty_in_any_coding() {
    let mut cases = vec![];
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, br", "rot13"] {
        let until_the_end = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        let no_chunk = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        for (how, act) in [
            ("a length of 0", coded(coding, &[])),
            ("the connection's end", Act::send(&until_the_end)),
            ("no chunk", Act::send(&no_chunk)),
        ] {
            let name = Box::leak(format!("{coding}, {how}").into());
            let expect = r#"{"body": [{"not_contains": "hello"}]}"#;
            cases.push(up(name, act).expect(expect).body(0));
        }
    }
    table("codings-of-nothing", cases);
}

#[test]
fn what_cannot_be_decoded_is_told_where_an_expectation_needs_it() {
    let unknown = |coding: &str| {
        format!(
            "receive: the body is coded {coding}, and an expectation needs what is in it; webmon decodes gzip, \
             deflate, br and zstd"
        )
    };
    let needs = |name, expect: &str| {
        let case = down(
            name,
            coded("rot13", &[b"uryyb"]),
            Reason::Encoding,
            &unknown("as \"rot13\""),
        );
        case.expect(expect)
    };
    table(
        "codings-unknown",
        vec![
            up("nothing needs it", coded("rot13", &[b"uryyb"]))
                .expect(r#"{"headers": {"Content-Encoding": {"equals": "rot13"}}}"#)
                .body(5),
            needs("a text", r#"{"body": [{"not_contains": "hello"}]}"#),
            needs("a pattern", r#"{"body": [{"not_matches": "hello"}]}"#),
            needs("json", r#"{"json": [{"path": "$", "exists": true}]}"#),
            needs("a size", r#"{"max_size": 100}"#),
            down(
                "the status speaks first",
                coded("rot13", &[b"uryyb"]),
                Reason::Status,
                "expect: status 200, expected 500",
            )
            .expect(r#"{"status": [500], "body": [{"contains": "hello"}]}"#),
            down(
                "compress",
                coded("x-compress", &[b"x"]),
                Reason::Encoding,
                &unknown("as \"x-compress\""),
            )
            .expect(HELLO),
            down(
                "more layers than make sense",
                coded("gzip, gzip, gzip, gzip, gzip, gzip", &[GZIP_HELLO]),
                Reason::Encoding,
                &unknown("in 6 layers"),
            )
            .expect(HELLO),
        ],
    );
}

#[test]
fn what_is_not_in_its_coding_is_an_encoding_error() {
    let invalid = |name, coding: &str, body: &[u8]| {
        let said = format!("receive: the body is no valid {coding}");
        down(name, coded(coding, &[body]), Reason::Encoding, &said)
    };
    let until_the_end = |coding: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        Act::Send([head.as_bytes(), body].concat())
    };
    let cut = "receive: the server closed the connection before the response was complete";
    table(
        "codings-broken",
        vec![
            invalid("no deflate", "deflate", b"\xff\xff hello"),
            invalid("deflate that ends early", "deflate", &ZLIB_HELLO[..6]),
            invalid(
                "a wrong checksum of zlib",
                "deflate",
                &[&ZLIB_HELLO[..12], b"x"].concat(),
            ),
            invalid("no br", "br", b"hello, but not compressed"),
            invalid("br that ends early", "br", &BROTLI_HELLO[..6]),
            invalid("no zstd", "zstd", b"hello, but not compressed"),
            invalid("zstd that ends early", "zstd", &ZSTD_HELLO[..11]),
            invalid(
                "a window of zstd without bounds",
                "zstd",
                &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0],
            ),
            down(
                "a connection that ends in br",
                until_the_end("br", &BROTLI_HELLO[..6]),
                Reason::Reset,
                cut,
            ),
            down(
                "a connection that ends in zstd",
                until_the_end("zstd", &ZSTD_HELLO[..11]),
                Reason::Reset,
                cut,
            ),
            down(
                "a connection that ends in deflate",
                until_the_end("deflate", &ZLIB_HELLO[..6]),
                Reason::Reset,
                cut,
            ),
        ],
    );
}

#[test]
fn frames_of_nothing_without_end_are_too_many_bytes() {
    let endless = |coding: &str, unit: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        Act::Repeat(head.into_bytes(), unit.to_vec())
    };
    let nothing = "receive: the response has too many bytes for what is in it";
    let case = |name, act| {
        down(name, act, Reason::TooLarge, nothing)
            .within_ms(4_000)
            .body(0)
    };
    let empty = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];
    table(
        "codings-without-end",
        vec![
            case("frames of zstd", endless("zstd", empty)),
            case("frames that are passed over", endless("zstd", SKIPPABLE)),
            // a block of zstd that repeats a byte 128 Ki times
            up(
                "a bomb",
                endless(
                    "zstd",
                    &[
                        &[0x28, 0xb5, 0x2f, 0xfd, 0, 0x38],
                        &[2, 0, 0x10, b'x'].repeat(9)[..],
                    ]
                    .concat(),
                ),
            )
            .within_ms(4_000)
            .body(BODY_LIMIT),
        ],
    );
}
