//! A body in any coding and charset: whatever it is, rules are judged on it or it is said that they cannot be, within
//! the check's time and memory.
//!
//! The input is four digits, and then the body, which ends with the connection. The digits choose:
//!
//! 1. what is expected, by its place in [`EXPECTATIONS`];
//! 2. what the body is said to be coded in, by its place in [`CODINGS`];
//! 3. what it is said to be, by its place in [`TYPES`];
//! 4. how the server [behaves](Manner).

#![no_main]

mod bed;

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};

use self::bed::server::Manner;
use self::bed::{Bed, Site, assert_honest, pick};

/// What is expected of the body.
const EXPECTATIONS: &[&str] = &[
    "{}",
    r#"{"body": [{"contains": "Störung"}, {"not_contains": "腾讯"}]}"#,
    r#"{"body": [{"matches": "(?s)^.h.llo\\b"}, {"not_matches": "\\p{Han}"}]}"#,
    r#"{"json": [{"path": "$.a", "equals": "ok"}, {"path": "$.a[*].b", "exists": false}]}"#,
    r#"{"json": [{"path": "$.id", "equals": 12345678901234567890123}], "max_size": 100}"#,
];
/// What it may be coded in.
const CODINGS: &[&str] = &[
    "", "gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "gzip, deflate", "identity", "nonsense",
];
/// What it may be.
const TYPES: &[&str] = &[
    "",
    "text/html",
    "application/json",
    "text/plain; charset=utf-16",
    "text/html; charset=GB2312",
    "text/plain; charset=\"shift_jis\"",
    "text/html; charset=iso-2022-jp",
    "text/html; charset=windows-1251",
    "text/html; charset=nonsense",
    "text/event-stream",
];

static BED: LazyLock<Bed> = LazyLock::new(Bed::new);

fuzz_target!(|input: &[u8]| -> Corpus {
    let [expect, coding, kind, manner, body @ ..] = input else {
        return Corpus::Reject;
    };
    let site = Site {
        url: "http://HOST/",
        request: "{}",
        expect: pick(EXPECTATIONS, *expect),
    };
    let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (name, value) in [
        ("Content-Encoding", pick(CODINGS, *coding)),
        ("Content-Type", pick(TYPES, *kind)),
    ] {
        if !value.is_empty() {
            answer.extend(format!("{name}: {value}\r\n").bytes());
        }
    }
    answer.extend(b"\r\n");
    answer.extend(body);
    let Some(watched) = BED.check(site, &answer, Manner::of(*manner)) else {
        return Corpus::Reject;
    };
    assert_honest(&watched, &[]);
    assert_eq!(watched.result.measured.status, Some(200), "{watched:?}");
    Corpus::Keep
});
