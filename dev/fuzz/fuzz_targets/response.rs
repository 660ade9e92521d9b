//! What a site may answer: whatever it sends, the check ends within its time, with a verdict about the
//! site.
//!
//! The input is three digits, and then the answers: one for each connection, with `NEXT` between them;
//! the last one is also for those that come later. `HOST` in an answer becomes the server's own address.
//! The digits choose:
//!
//! 1. what is expected, by its place in [`EXPECTATIONS`];
//! 2. what is asked, by its place in [`REQUESTS`];
//! 3. how the server [behaves](Manner).

#![no_main]

mod bed;

use std::net::SocketAddr;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use probe::Watched;

use self::bed::server::Manner;
use self::bed::{Bed, Site, assert_honest, pick};

/// What is expected of an answer.
const EXPECTATIONS: &[&str] = &[
    "{}",
    r#"{"status": [200, "301-303", "4xx", 599]}"#,
    r#"{"headers": {"Server": {"present": true}, "X-A": {"present": false}}}"#,
    r#"{"headers": {"Content-Type": {"equals": "text/html"}, "Server": {"matches": "^[a-z]+/\\d"}}}"#,
    r#"{"body": [{"contains": "ok"}, {"not_contains": "error"}]}"#,
    r#"{"body": [{"matches": "(?s)<h1>.*</h1>$"}, {"not_matches": "\\bfail(ed)?\\b"}]}"#,
    r#"{"status": ["100-999"], "max_size": 16, "max_time": "1ms"}"#,
    r#"{"json": [{"path": "$.a", "equals": "ok"}, {"path": "$.a[*].b", "less": 1.5}]}"#,
    r#"{"json": [{"path": "$['a'][0]", "matches": "^x"}, {"path": "$[*]", "exists": false}]}"#,
    r#"{"json": [{"path": "$", "greater": 18446744073709551615}], "max_size": 1000}"#,
];
/// What is asked. With the last one a server has a word in what is sent next, as it has by its cookies.
const REQUESTS: &[&str] = &[
    "{}",
    r#"{"method": "HEAD"}"#,
    r#"{"method": "POST", "body": "the end", "headers": {"X-A": "b"}, "bearer": "token"}"#,
    r#"{"method": "OPTIONS", "redirects": 0}"#,
    r#"{"digest": {"username": "me", "password": "word"}, "headers": {"Cookie": "a=b"}}"#,
];
/// The most connections of a check: ten redirects, and each may be asked for twice more with credentials.
const CONNECTIONS: usize = 3 * (10 + 1);

static BED: LazyLock<Bed> = LazyLock::new(Bed::new);

fuzz_target!(|input: &[u8]| -> Corpus {
    let [expect, request, manner, answers @ ..] = input else {
        return Corpus::Reject;
    };
    let site = Site {
        url: "http://HOST/a/b?c",
        request: pick(REQUESTS, *request),
        expect: pick(EXPECTATIONS, *expect),
    };
    let Some(watched) = BED.check(site, answers, Manner::of(*manner)) else {
        return Corpus::Reject;
    };
    assert_honest(&watched, &[]);
    let connections = watched.hops.len();
    assert!((1..=CONNECTIONS).contains(&connections), "{watched:?}");
    assert_at_home(&watched, BED.address());
    Corpus::Keep
});

/// Fails if a redirect led to another server.
fn assert_at_home(watched: &Watched, server: SocketAddr) {
    let home = ["http", "https"].map(|scheme| format!("{scheme}://{server}/"));
    let at_home = |url: &str| home.iter().any(|home| url.starts_with(home));
    assert!(
        watched.hops.iter().all(|hop| at_home(&hop.url)),
        "{watched:?}"
    );
}
