//! Charsets of a body: rules are judged on its text, whatever bytes it came in.

use contract::outcome::Reason;

use crate::case::{Case, down, table, up};
use crate::hostile::Act;

/// An answer of this type.
fn answer(content_type: &str, body: &[u8]) -> Act {
    let length = body.len();
    let line = match content_type {
        "" => String::new(),
        declared => format!("Content-Type: {declared}\r\n"),
    };
    let head = format!("HTTP/1.1 200 OK\r\n{line}Content-Length: {length}\r\n\r\n");
    Act::Send([head.as_bytes(), body].concat())
}

/// Both cases of a word that is in the body: what must be there is, and what must not be there is found.
fn both(name: &'static str, content_type: &str, body: &[u8], word: &str) -> [Case; 2] {
    let rule = |key: &str| serde_json::json!({"body": [{key: word}]}).to_string();
    let said = format!("expect: the body contains \"{word}\"");
    let forbidden: &'static str = Box::leak(format!("{name}, and must not be").into());
    [
        up(name, answer(content_type, body)).expect(&rule("contains")),
        down(forbidden, answer(content_type, body), Reason::Body, &said)
            .expect(&rule("not_contains")),
    ]
}

/// A text in UTF-16.
fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// A name, a type, a body, and a word in it.
const BODIES: &[(&str, &str, &[u8], &str)] = &[
    (
        "latin 1",
        "text/html; charset=ISO-8859-1",
        b"St\xf6rung: Caf\xe9",
        "Störung",
    ),
    (
        "latin 9",
        "text/plain; charset=iso-8859-15",
        b"5 \xa4",
        "5 €",
    ),
    (
        "windows-1252",
        "text/html; charset=windows-1252",
        b"\x80 5",
        "€ 5",
    ),
    (
        "windows-1251",
        "text/html; charset=windows-1251",
        b"\xcf\xf0\xe8\xe2\xe5\xf2",
        "Привет",
    ),
    (
        "koi8-r",
        "text/html; charset=koi8-r",
        b"\xf0\xd2\xc9\xd7\xc5\xd4",
        "Привет",
    ),
    (
        "gb2312",
        "text/html; charset=GB2312",
        b"<title>\xca\xd7\xd2\xb3</title>",
        "首页",
    ),
    ("gbk", "text/html; charset=gbk", b"\xca\xd7\xd2\xb3", "首页"),
    (
        "gb18030",
        "text/html; charset=gb18030",
        b"\xca\xd7\x90\x30\x81\x30",
        "首\u{10000}",
    ),
    (
        "big5",
        "text/html; charset=big5",
        b"\xad\xba\xad\xb6",
        "首頁",
    ),
    (
        "shift_jis",
        "text/html; charset=Shift_JIS",
        b"\x83g\x83b\x83v",
        "トップ",
    ),
    (
        "euc-jp",
        "text/html; charset=EUC-JP",
        b"\xa5\xc8\xa5\xc3\xa5\xd7",
        "トップ",
    ),
    (
        "iso-2022-jp",
        "text/html; charset=iso-2022-jp",
        b"\x1b$B%H%C%W\x1b(B",
        "トップ",
    ),
    ("euc-kr", "text/html; charset=euc-kr", b"\xc0\xa5", "웹"),
    (
        "x-user-defined",
        "text/plain; charset=x-user-defined",
        b"a\x80",
        "a\u{f780}",
    ),
    (
        "meta",
        "text/html",
        b"<meta charset=iso-8859-1>St\xf6rung",
        "Störung",
    ),
    (
        "meta with http-equiv",
        "text/html",
        b"<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset=gbk'>\xca\xd7\xd2\xb3",
        "首页",
    ),
    (
        "xml",
        "application/rss+xml",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a>St\xf6rung</a>",
        "Störung",
    ),
    ("nothing says it", "text/html", b"St\xf6rung", "Störung"),
    ("nothing says anything", "", b"St\xf6rung", "Störung"),
    (
        "utf-8",
        "text/html; charset=utf-8",
        "Störung".as_bytes(),
        "Störung",
    ),
    (
        "utf-8 that nothing says",
        "text/html",
        "Störung".as_bytes(),
        "Störung",
    ),
    (
        "a mark of utf-8",
        "text/html; charset=iso-8859-1",
        "\u{feff}Störung".as_bytes(),
        "Störung",
    ),
    (
        "a mark against the head",
        "text/html; charset=utf-8",
        b"\xff\xfeS\0t\0\xf6\0",
        "Stö",
    ),
    (
        "the head against meta",
        "text/html; charset=iso-8859-1",
        b"<meta charset=utf-8>St\xf6rung",
        "Störung",
    ),
];

#[test]
fn rules_are_judged_on_the_text() {
    let mut cases = vec![];
    for (name, content_type, body, word) in BODIES {
        cases.extend(both(name, content_type, body, word));
    }
    let word = "Störung 首";
    let (low, high) = (utf16(word, u16::to_le_bytes), utf16(word, u16::to_be_bytes));
    cases.extend(both(
        "utf-16 with a mark",
        "text/plain; charset=utf-16",
        &[b"\xff\xfe", &*low].concat(),
        word,
    ));
    cases.extend(both(
        "utf-16 with the other mark",
        "text/plain",
        &[b"\xfe\xff", &*high].concat(),
        word,
    ));
    cases.extend(both(
        "utf-16 without a mark",
        "text/plain; charset=utf-16",
        &low,
        word,
    ));
    cases.extend(both(
        "utf-16 that starts high",
        "text/plain; charset=utf-16",
        &high,
        word,
    ));
    cases.extend(both("utf-16le", "text/plain; charset=UTF-16LE", &low, word));
    cases.extend(both(
        "utf-16be",
        "text/plain; charset=utf-16be",
        &high,
        word,
    ));
    cases.extend(both("utf-16 that nothing says", "text/html", &low, word));
    table("charsets", cases);
}

#[test]
fn a_quote_shows_the_text() {
    let expect = r#"{"body": [{"contains": "open"}]}"#;
    let case = |name, content_type, body: &[u8], quote: &str| {
        let said = format!("expect: the body does not contain \"open\"; it begins with {quote}");
        down(name, answer(content_type, body), Reason::Body, &said).expect(expect)
    };
    table(
        "charsets-quoted",
        vec![
            case(
                "latin 1",
                "text/html; charset=latin1",
                b"Caf\xe9 geschlossen",
                "\"Café geschlossen\"",
            ),
            case(
                "utf-16",
                "text/html",
                b"\xff\xfeC\0a\0f\0\xe9\0",
                "\"\\u{feff}Café\"",
            ),
            case("bytes", "image/png", b"\x89PNG", "\"\u{fffd}PNG\""),
        ],
    );
}

#[test]
fn a_mark_is_no_part_of_the_text_and_yet_can_be_looked_for() {
    let page = || answer("text/html", "\u{feff}<html>".as_bytes());
    let rule = |key: &str, sought: &str| serde_json::json!({"body": [{key: sought}]}).to_string();
    let wide = answer("text/html", b"\xff\xfe<\0");
    table(
        "byte-order-marks",
        vec![
            up("the start of the text", page()).expect(&rule("matches", "^<html>$")),
            up("the mark", page()).expect(&rule("contains", "\u{feff}<")),
            up("a pattern of the mark", page()).expect(&rule("matches", r"^\x{feff}")),
            down(
                "no mark",
                page(),
                Reason::Body,
                "expect: the body contains ",
            )
            .expect(&rule("not_contains", "\u{feff}")),
            down(
                "no pattern of it",
                page(),
                Reason::Body,
                "expect: the body matches ",
            )
            .expect(&rule("not_matches", r"\x{feff}")),
            down(
                "no mark of utf-16",
                wide,
                Reason::Body,
                "expect: the body contains ",
            )
            .expect(&rule("not_contains", "\u{feff}")),
        ],
    );
}

#[test]
fn a_charset_that_nothing_knows_is_told_where_an_expectation_needs_it() {
    let klingon = || answer("text/html; charset=x-klingon", b"St\xf6rung");
    let said = "expect: the body has the charset \"x-klingon\", which webmon does not know, and an expectation needs its text; have the server name one like utf-8";
    let utf7 = answer("text/html; charset=utf-7", b"St+APY-rung");
    table(
        "charsets-unknown",
        vec![
            up("nothing needs it", klingon())
                .expect(r#"{"max_size": 100}"#)
                .body(7),
            down("a text", klingon(), Reason::Encoding, said)
                .expect(r#"{"body": [{"not_contains": "hello"}]}"#),
            down("json", klingon(), Reason::Encoding, said)
                .expect(r#"{"json": [{"path": "$", "exists": true}]}"#),
            down(
                "utf-7",
                utf7,
                Reason::Encoding,
                "expect: the body has the charset \"utf-7\"",
            )
            .expect(r#"{"body": [{"not_contains": "Störung"}]}"#),
            down(
                "the status speaks first",
                klingon(),
                Reason::Status,
                "expect: status 200",
            )
            .expect(r#"{"status": [500], "body": [{"contains": "a"}]}"#),
        ],
    );
}

#[test]
fn json_is_read_in_any_unicode() {
    let expect = r#"{"json": [{"path": "$.status", "equals": "ok"}]}"#;
    let text = r#"{"status": "ok"}"#;
    let marked = format!("\u{feff}{text}");
    let (low, high) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
    let wide: Vec<u8> = text
        .bytes()
        .flat_map(|b| u32::from(b).to_be_bytes())
        .collect();
    let json = "application/json";
    let case =
        |name, content_type, body: &[u8]| up(name, answer(content_type, body)).expect(expect);
    let latin1 = r#"{"json": [{"path": "$.a", "equals": "Störung"}]}"#;
    table("json-in-unicode", vec![
        case("a mark", json, marked.as_bytes()),
        case("a mark of utf-16", json, &[b"\xff\xfe", &*low].concat()),
        case("utf-16", json, &low),
        case("the other utf-16", json, &high),
        case("utf-16 by name", "application/json; charset=utf-16", &low),
        case("utf-32", json, &wide),
        up("latin 1 by name", answer("application/json; charset=iso-8859-1", b"{\"a\": \"St\xf6rung\"}"))
            .expect(latin1),
        up("half a surrogate pair", answer(json, br#"{"status":"ok","name":"A\udc00B"}"#)).expect(expect),
        down(
            "a mark before what is no json",
            answer(json, "\u{feff}<html>".as_bytes()),
            Reason::Json,
            r#"expect: the body is no JSON (expected value at line 1 column 1); it begins with "\u{feff}<html>""#,
        )
        .expect(expect),
        down(
            "another value behind a mark",
            answer(json, "\u{feff}{\"status\": \"no\"}".as_bytes()),
            Reason::Json,
            r#"expect: $.status is "no", expected "ok""#,
        )
        .expect(expect),
    ]);
}

#[test]
fn a_number_is_compared_digit_by_digit() {
    const BODY: &[u8] = br#"{"id": 12345678901234567890123}"#;
    let case =
        |expected: &str| format!(r#"{{"json": [{{"path": "$.id", "equals": {expected}}}]}}"#);
    table(
        "json-numbers",
        vec![
            up("the same", answer("application/json", BODY))
                .expect(&case("12345678901234567890123")),
            up(
                "the same written otherwise",
                answer("application/json", BODY),
            )
            .expect(&case("12345678901234567890123.0")),
            down(
                "the next",
                answer("application/json", BODY),
                Reason::Json,
                "expect: $.id is 12345678901234567890123, expected 12345678901234567890124",
            )
            .expect(&case("12345678901234567890124")),
        ],
    );
}

#[test]
fn a_copy_of_a_body_at_its_limit_is_judged_as_far_as_that_goes() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-16le\r\n\r\n";
    let endless = || Act::Repeat(head.as_bytes().to_vec(), b"a\0\xf6\0".to_vec());
    table("charsets-cut", vec![
        up("what is there", endless()).expect(r#"{"body": [{"contains": "aöaö"}]}"#),
        down(
            "what is not",
            endless(),
            Reason::TooLarge,
            "expect: the body is larger than the checker's body_limit, and not_contains \"b\" needs the rest",
        )
        .expect(r#"{"body": [{"not_contains": "b"}]}"#),
    ]);
}
