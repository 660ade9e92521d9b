//! Handshakes that go wrong, and connections that go wrong after them.

use std::time::Instant;

use contract::outcome::Reason;
use contract::result::CheckResult;
use probe::Watched;
use rustls::version::{TLS12, TLS13};

use crate::STARTED;
use crate::authority::{Authority, VALID, second};
use crate::tls::{LIMIT_MS, SHAKING, TLS_ALL, prober};
use crate::tls_server::{Speech, TlsServer, Turn, raw};
use crate::{TIMEOUT_MS, TOLERANCE_MS, detail, phases, task};

/// The phases of a check that received nothing over TLS.
const TLS_WAITED: &str = "dns connect tls wait";

/// What a check should find.
struct End {
    reason: Option<Reason>,
    phases: &'static str,
    /// How the detail begins.
    said: &'static str,
    /// Whether the certificate was seen.
    seen: bool,
}

fn end(reason: Reason, phases: &'static str, said: &'static str, seen: bool) -> End {
    End {
        reason: Some(reason),
        phases,
        said,
        seen,
    }
}

fn failed(said: &'static str) -> End {
    end(Reason::TlsHandshake, SHAKING, said, false)
}

fn assert_end(what: &str, result: &CheckResult, end: &End) {
    assert_eq!(result.reason, end.reason, "{what}: {result:?}");
    assert_eq!(phases(result), end.phases, "{what}: {result:?}");
    assert!(detail(result).starts_with(end.said), "{what}: {result:?}");
    let ends = end.seen.then(|| second(2040));
    assert_eq!(result.measured.certificate_expires_at_s, ends, "{what}");
}

/// Checks within `limit_ms`, and is not longer about it.
fn check(root: &Authority, url: &str, request: &str, limit_ms: u32) -> Watched {
    let mut task = task(url, request, "{}");
    task.timeout_ms = limit_ms;
    let began = Instant::now();
    let watched = prober(&[root.der()]).watch(&task, STARTED);
    let took = began.elapsed().as_millis();
    assert!(
        took < u128::from(limit_ms) + u128::from(TOLERANCE_MS),
        "{watched:?}"
    );
    watched
}

fn record(kind: u8, length: u16, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 3, 3];
    bytes.extend(length.to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn alert(number: u8) -> Vec<u8> {
    record(21, 2, &[2, number])
}

/// What a server of TLS 1.0 answers.
fn tls_1_0() -> Vec<u8> {
    let mut hello = vec![2, 0, 0, 38, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    record(22, 42, &hello)
}

#[test]
fn what_is_no_handshake_is_told_from_a_bad_one() {
    let root = Authority::new("root");
    let huge = [vec![2, 0xff, 0xff, 0xff], vec![0; 16_380]].concat();
    for (what, bytes, said) in [
        (
            "closed",
            vec![],
            "tls: the server closed the connection before it sent anything; it may not speak TLS",
        ),
        (
            "half a record",
            record(22, 90, &[2, 0, 0, 86, 3, 3]),
            "tls: the server closed the connection in the middle of the handshake",
        ),
        (
            "a huge record",
            record(22, 0xffff, &vec![0; 66_000]),
            "tls: the server breaks the rules of TLS (message too large)",
        ),
        (
            "a huge message",
            record(22, 16_384, &huge),
            "tls: the server breaks the rules of TLS (handshake payload too large)",
        ),
        (
            "data too early",
            record(23, 5, b"hello"),
            "tls: the server breaks the rules of TLS (application data at the wrong time)",
        ),
    ] {
        let result = check(&root, &raw(bytes, false), "{}", LIMIT_MS).result;
        assert_end(what, &result, &failed(said));
    }
}

#[test]
fn a_server_that_speaks_something_else_is_told_what() {
    const HTTP: &str = ": it speaks HTTP without TLS on this port; write http: in the URL";
    const MAIL: &str = ": it speaks as servers of mail and FTP do";
    let root = Authority::new("root");
    let garbage: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(167) | 128).collect();
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";
    let speeches: [(&[u8], &str); 8] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", HTTP),
        (b"<html>400 Bad Request</html>", HTTP),
        (b"SSH-2.0-OpenSSH_9.6\r\n", ": it speaks SSH on this port"),
        (b"220 mail.example ESMTP\r\n", MAIL),
        (b"* OK ready\r\n", MAIL),
        (settings, ": it speaks HTTP/2 without TLS on this port"),
        (b"no", "; it begins with \"no\""),
        (&garbage, "; it begins with \""),
    ];
    for (bytes, said) in speeches {
        let result = check(&root, &raw(bytes.to_vec(), false), "{}", LIMIT_MS).result;
        assert_end(
            said,
            &result,
            &failed("tls: what the server sends is not TLS"),
        );
        let said = format!("tls: what the server sends is not TLS{said}");
        assert!(detail(&result).starts_with(&said), "{said}: {result:?}");
    }
}

#[test]
fn a_server_that_gives_up_says_why() {
    let root = Authority::new("root");
    for (bytes, said) in [
        (
            alert(40),
            "tls: the server gave up with the alert handshake_failure; webmon speaks TLS 1.2 and 1.3 with ECDHE \
             (X25519, P-256, P-384) and AES-GCM or ChaCha20-Poly1305; the server may need RSA key exchange, DHE, CBC or another kind of certificate",
        ),
        (
            alert(80),
            "tls: the server gave up with the alert internal_error; it may have no certificate for the name",
        ),
        (
            alert(120),
            "tls: the server gave up with the alert no_application_protocol; webmon speaks HTTP/1.1",
        ),
        (
            alert(70),
            "tls: the server gave up with the alert protocol_version; it speaks",
        ),
        (
            alert(112),
            "tls: the server gave up with the alert unrecognized_name; it does not",
        ),
        (alert(200), "tls: the server gave up with the alert 200"),
        (
            tls_1_0(),
            "tls: the server speaks neither TLS 1.2 nor TLS 1.3",
        ),
    ] {
        let result = check(&root, &raw(bytes, false), "{}", LIMIT_MS).result;
        assert_end(said, &result, &failed(said));
    }
}

#[test]
fn a_handshake_that_stalls_anywhere_times_out_in_its_phase() {
    const SAID: &str = "tls: the handshake did not end within 400 ms";
    const WAITED: &str = "wait: the response's head did not come within 400 ms";
    let root = Authority::new("root");
    let stalled = || end(Reason::TlsTimeout, SHAKING, SAID, false);
    let mut found = vec![
        ("at the start", raw(vec![], true), stalled()),
        ("in a record", raw(record(22, 90, &[2, 0]), true), stalled()),
    ];
    for (what, turn, end) in [
        ("in the middle", Turn::StallAfter(200), stalled()),
        ("byte by byte", Turn::Drip, stalled()),
        (
            "afterwards",
            Turn::Silence,
            end(Reason::ResponseTimeout, TLS_WAITED, WAITED, true),
        ),
    ] {
        let server = TlsServer::start(root.leaf(&["127.0.0.1"], VALID), vec![turn]);
        found.push((what, server.url(), end));
    }
    std::thread::scope(|scope| {
        for (what, url, end) in &found {
            let root = &root;
            scope.spawn(move || {
                assert_end(what, &check(root, url, "{}", TIMEOUT_MS).result, end);
            });
        }
    });
}

#[test]
fn both_versions_are_spoken_and_each_asks_for_a_client_in_its_own_time() {
    const WANTED: &str =
        "the server gave up with the alert certificate_required; it wants a client";
    let root = Authority::new("root");
    let body = format!(r#"{{"method": "POST", "body": "{}"}}"#, "x".repeat(50_000));
    let none = |phases, said| end(Reason::TlsHandshake, phases, said, true);
    let up = || End {
        reason: None,
        phases: TLS_ALL,
        said: "",
        seen: true,
    };
    let late = || {
        none(
            TLS_WAITED,
            "wait: the server gave up with the alert certificate_required",
        )
    };
    for (what, version, wants, request, end) in [
        ("TLS 1.2", &TLS12, false, "{}", up()),
        ("TLS 1.3", &TLS13, false, "{}", up()),
        (
            "TLS 1.2, no client",
            &TLS12,
            true,
            "{}",
            none(SHAKING, "tls: the server gave up with the alert "),
        ),
        ("TLS 1.3, no client", &TLS13, true, "{}", late()),
        (
            "TLS 1.3, no client, much to send",
            &TLS13,
            true,
            &body,
            late(),
        ),
    ] {
        let mut speech = Speech::from(root.leaf(&["127.0.0.1"], VALID));
        speech.versions = vec![version];
        speech.clients = wants.then(|| root.der());
        let server = TlsServer::start(speech, vec![Turn::ok()]);
        let Watched { result, hops } = check(&root, &server.url(), request, LIMIT_MS);
        let seen = hops[0].tls.as_ref().unwrap().version.unwrap();
        assert!(what.starts_with(seen), "{what}: {seen}");
        assert_end(what, &result, &end);
        assert!(
            !wants || *version == TLS12 || detail(&result).contains(WANTED),
            "{result:?}"
        );
    }
}

#[test]
fn connections_that_break_inside_tls_are_resets() {
    let root = Authority::new("root");
    let no_length = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel";
    let cut = "receive: the connection ended without the end of TLS (close_notify)";
    let reset = |phases, said| end(Reason::Reset, phases, said, true);
    let up = || End {
        reason: None,
        phases: TLS_ALL,
        said: "",
        seen: true,
    };
    for (what, turn, end) in [
        (
            "closed in the handshake",
            Turn::CloseAfter(200),
            failed("tls: the server closed"),
        ),
        (
            "closed at the end",
            Turn::Answer(no_length.to_owned()),
            up(),
        ),
        (
            "dropped at the end",
            Turn::Drop(no_length),
            reset(TLS_ALL, cut),
        ),
        ("dropped after all", Turn::Drop(whole), up()),
        ("dropped half way", Turn::Drop(half), reset(TLS_ALL, cut)),
        (
            "closed half way",
            Turn::Answer(half.to_owned()),
            reset(TLS_ALL, "receive: the server closed"),
        ),
        (
            "dropped at once",
            Turn::Drop(""),
            reset(TLS_WAITED, "wait: the server closed"),
        ),
    ] {
        let server = TlsServer::start(root.leaf(&["127.0.0.1"], VALID), vec![turn]);
        let result = check(&root, &server.url(), "{}", LIMIT_MS).result;
        assert_end(what, &result, &end);
    }
}
