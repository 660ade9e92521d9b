//! Which charset a body is read in.

use encoding_rs::{BIG5, EUC_KR, GB18030, GBK, ISO_8859_15, KOI8_R, SHIFT_JIS, WINDOWS_1251};
use ureq::http::{HeaderValue, header};

use super::*;

/// The charset of a body whose head has this `Content-Type`.
fn charset(content_type: &'static str, body: &[u8]) -> Result<Charset, Unknown> {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    of(&headers, body)
}

#[test]
fn the_head_speaks_before_the_page_and_both_before_a_guess() {
    use Charset::{AsItCame, Known};
    for (content_type, body, expected) in [
        ("text/html; charset=utf-8", &b"\xe9"[..], AsItCame),
        ("text/html; charset=ISO-8859-1", b"a", Known(WINDOWS_1252)),
        ("text/plain; charset=us-ascii", b"a", Known(WINDOWS_1252)),
        ("text/html; charset=gb2312", b"a", Known(GBK)),
        ("text/html; charset=GB18030", b"a", Known(GB18030)),
        ("text/html; charset=Big5", b"a", Known(BIG5)),
        ("text/html; charset=Shift_JIS", b"a", Known(SHIFT_JIS)),
        ("text/html; charset=euc-kr", b"a", Known(EUC_KR)),
        ("text/html; charset=latin9", b"a", Known(ISO_8859_15)),
        (
            "text/html; charset=\"windows-1251\"",
            b"a",
            Known(WINDOWS_1251),
        ),
        (
            "text/plain; charset=x-user-defined",
            b"a",
            Known(X_USER_DEFINED),
        ),
        ("text/plain; charset=utf-16", b"a\0", Known(UTF_16LE)),
        ("text/plain; charset=utf-16", b"\0a", Known(UTF_16BE)),
        ("text/plain; charset=utf-16be", b"a\0", Known(UTF_16BE)),
        ("text/html; charset=gbk", b"<meta charset=big5>", Known(GBK)),
        ("text/html", b"<meta charset=big5>", Known(BIG5)),
        ("application/xhtml+xml", b"<meta charset=big5>", Known(BIG5)),
        ("", b"<html><meta charset=big5>", Known(BIG5)),
        ("text/plain", b"<meta charset=big5>", AsItCame),
        ("text/html", b"<meta charset=utf-16le>", AsItCame),
        (
            "text/html",
            b"<meta charset=x-user-defined>",
            Known(WINDOWS_1252),
        ),
        (
            "application/rss+xml",
            b"<?xml encoding='koi8-r'?>",
            Known(KOI8_R),
        ),
        ("text/html; charset=", b"<meta charset=big5>", Known(BIG5)),
        ("text/html; charset=none", b"\xe9", Known(WINDOWS_1252)),
        ("text/html; charset=utf8mb4", b"\xe9", AsItCame),
        ("text/html; charset=UTF_8", b"\xe9", AsItCame),
        ("image/png; charset=binary", b"\xe9", AsItCame),
        (
            "application/json; charset=iso-8859-1",
            b"\xe9",
            Known(WINDOWS_1252),
        ),
    ] {
        assert_eq!(
            charset(content_type, body),
            Ok(expected),
            "{content_type} {body:?}"
        );
    }
}

#[test]
fn a_text_that_names_no_charset_is_utf_8_if_it_can_be() {
    use Charset::{AsItCame, Known, Utf32};
    for (content_type, body, expected) in [
        ("text/html", "Störung".as_bytes(), AsItCame),
        ("text/html", b"St\xf6rung", Known(WINDOWS_1252)),
        ("", b"St\xf6rung", Known(WINDOWS_1252)),
        ("text/plain", b"plain", AsItCame),
        // one broken character among whole ones
        ("text/html", "ä\u{fffd}ö Stö".as_bytes(), AsItCame),
        ("text/html", b"\xc3\xa4 \xc3\xb6 \xff", AsItCame),
        ("text/xml", b"<\0a\0", Known(UTF_16LE)),
        ("text/html", b"\0<\0a", Known(UTF_16BE)),
        ("application/json", b"{\0}\0", Known(UTF_16LE)),
        (
            "application/problem+json",
            b"\0\0\0{\0\0\0}",
            Utf32 { big_endian: true },
        ),
        (
            "application/json",
            b"{\0\0\0}\0\0\0",
            Utf32 { big_endian: false },
        ),
        ("application/json", b"\"\xf6\"", AsItCame),
        // bytes that are no text
        ("", b"\xff\0\xfe", AsItCame),
        ("image/jpeg", b"\xff\xd8\xff\xe0", AsItCame),
        ("application/octet-stream", b"St\xf6rung", AsItCame),
    ] {
        assert_eq!(
            charset(content_type, body),
            Ok(expected),
            "{content_type} {body:?}"
        );
    }
}

#[test]
fn a_declaration_that_comes_late_counts_where_the_text_is_no_utf_8() {
    let page = format!("<script>{}</script><meta charset=gbk>", " ".repeat(2_000));
    let with = |rest: &[u8]| charset("text/html", &[page.as_bytes(), rest].concat());
    assert_eq!(with(b"\xca\xd7"), Ok(Charset::Known(GBK)));
    assert_eq!(with("首".as_bytes()), Ok(Charset::AsItCame));
}

#[test]
fn a_charset_that_nothing_knows_is_named() {
    for (content_type, body, label) in [
        (
            "text/html; charset=x-klingon",
            &b"hello"[..],
            "\"x-klingon\"",
        ),
        ("text/html; charset=utf-7", b"St+APY-rung", "\"utf-7\""),
        ("text/html; charset=hz-gb-2312", b"hello", "\"hz-gb-2312\""),
        ("text/html", b"<meta charset=cp037>", "\"cp037\""),
    ] {
        let unknown = Err(Unknown(label.to_owned()));
        assert_eq!(charset(content_type, body), unknown, "{content_type}");
    }
}

#[test]
fn a_byte_order_mark_says_what_follows() {
    use Charset::{AsItCame, Known, Utf32};
    for (body, charset) in [
        (&b"\xef\xbb\xbfa"[..], Some(AsItCame)),
        (b"\xff\xfea\0", Some(Known(UTF_16LE))),
        (b"\xfe\xff\0a", Some(Known(UTF_16BE))),
        (b"\xff\xfe\0\0a\0\0\0", Some(Utf32 { big_endian: false })),
        (b"\0\0\xfe\xff\0\0\0a", Some(Utf32 { big_endian: true })),
        (b"\xef\xbb", None),
        (b"a", None),
        (b"", None),
    ] {
        assert_eq!(of_mark(body), charset, "{body:?}");
    }
}
