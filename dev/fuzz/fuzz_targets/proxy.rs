//! What a proxy may answer: whatever it sends, the check ends within its time, and names no address but the proxy's.
//!
//! The input is two digits, and then the answers: one for each connection, with `NEXT` between them; the last one is
//! also for those that come later. The digits choose:
//!
//! 1. the site, by its place in [`SITES`];
//! 2. how the proxy [behaves](Manner).

#![no_main]

mod bed;

use std::sync::LazyLock;

use contract::outcome::Reason;
use libfuzzer_sys::{Corpus, fuzz_target};

use self::bed::server::Manner;
use self::bed::{Bed, Site, assert_honest, pick};

/// Sites behind the proxy.
const SITES: &[(&str, &str)] = &[
    ("http://a.example/", r#"{"proxy": "http://HOST"}"#),
    ("https://a.example/", r#"{"proxy": "http://HOST"}"#),
    (
        "https://a.example/",
        r#"{"proxy": {"url": "http://HOST", "username": "me", "password": "word"}}"#,
    ),
];
/// What is said of the proxy.
const OF_THE_PROXY: &[Reason] = &[Reason::ProxyUnreachable, Reason::ProxyRefused];

static BED: LazyLock<Bed> = LazyLock::new(Bed::new);

fuzz_target!(|input: &[u8]| -> Corpus {
    let [site, manner, answers @ ..] = input else {
        return Corpus::Reject;
    };
    let (url, request) = pick(SITES, *site);
    let site = Site {
        url,
        request,
        expect: "{}",
    };
    let Some(watched) = BED.check(site, answers, Manner::of(*manner)) else {
        return Corpus::Reject;
    };
    assert_honest(&watched, OF_THE_PROXY);
    let address = watched.result.measured.address;
    let is_the_proxy = address.is_none_or(|address| address == BED.address().ip());
    assert!(is_the_proxy, "{watched:?}");
    Corpus::Keep
});
