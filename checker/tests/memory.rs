//! The memory of a check, whatever its server does.
//!
//! This is a process of its own, for the kernel counts by process: the most that it ever had in
//! memory while many checks were held at their worst, less what it had before. The stacks of a debug
//! build are the larger part of what is counted.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "what helps a test may fail it by panicking"
)]

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::instant::UnixUs;
use contract::outcome::Reason;
use contract::result::CheckResult;
use contract::task::Task;
use probe::{Addresses, ProbeOptions, Prober};
use rustls::RootCertStore;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

/// Checks that are made at a time.
const SLOTS: usize = 64;
/// The stack of a lane's thread, in bytes.
const STACK_BYTES: usize = 1024 * 1024;
/// The most that a check may have, its thread's stack included, in KiB.
const SLOT_KIB: usize = 192;
/// What a decoder may have besides, in KiB.
const DECODER_KIB: usize = 128;
/// The part of a body that comes before its server stops, in bytes.
const BODY_BYTES: usize = 512 * 1024;
/// What a check may have besides if it keeps that, in a buffer that doubled to hold it, in KiB.
const KEPT_KIB: usize = 2 * BODY_BYTES / 1024;

/// The slots of a checker, by default.
const ALL_SLOTS: usize = 1_024;
/// The bodies that are kept have at most so much together, by default, in KiB.
const BODY_MEMORY_KIB: usize = 64 * 1024;
/// One test at a time, as the kernel counts for all.
static ALONE: Mutex<()> = Mutex::new(());

/// What a server does, and what a check of it may have.
struct Act {
    /// For messages.
    name: &'static str,
    /// Sent at once.
    first: Vec<u8>,
    /// Sent over and over afterwards, unless it is empty.
    unit: &'static [u8],
    /// What the site expects.
    expect: &'static str,
    /// The most that one check may have, in KiB.
    limit_kib: usize,
}

/// A number of `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.unwrap().trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap()
}

/// Plays an act on so many connections from one thread, which costs a check little; the URL.
fn serve(slots: usize, first: Vec<u8>, unit: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let units = unit.repeat(4_096 / unit.len().max(1));
        let streams = (0..slots).map(|_| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&first).unwrap();
            stream.set_nonblocking(!unit.is_empty()).unwrap();
            stream
        });
        let mut streams: Vec<TcpStream> = streams.collect();
        // until the clients leave, which they may do with a reset
        if unit.is_empty() {
            for stream in &mut streams {
                drop(stream.read_to_end(&mut Vec::new()));
            }
        }
        while !unit.is_empty() && !streams.is_empty() {
            streams.retain_mut(|stream| match stream.write(&units) {
                Ok(_) => true,
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            });
            thread::yield_now();
        }
    });
    url
}

/// A prober without authorities that may dial loopback.
fn prober(runtime: &Runtime) -> Prober {
    let config = ProbeOptions {
        addresses: Addresses {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            deny: vec![],
        },
        ..ProbeOptions::default()
    };
    Prober::with_roots(&config, runtime.handle(), RootCertStore::empty()).unwrap()
}

/// What the checks of a site have.
#[derive(Clone, Copy)]
struct Site<'a> {
    /// What is expected.
    expect: &'a str,
    /// The time, in milliseconds.
    timeout_ms: u32,
}

/// Makes so many checks at once, each on a thread like a lane's.
fn check_all(slots: usize, prober: &Prober, url: &str, site: Site<'_>) -> Vec<CheckResult> {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    let threads = (0..slots).map(|_| {
        let prober = prober.for_another_lane();
        let task = Task {
            v: 1,
            installation: Installation::default(),
            site_id: SiteId(7),
            name: "site".to_owned(),
            scheduled_at: UnixMs(1_000),
            expires_at: UnixMs(61_000),
            url: url.to_owned(),
            timeout_ms: site.timeout_ms,
            request: raw("{}"),
            expect: raw(site.expect),
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        thread
            .spawn(move || prober.check(&task, UnixUs(5)))
            .unwrap()
    });
    let threads: Vec<_> = threads.collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

/// What servers do to fill a check's memory.
fn acts() -> Vec<Act> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let body = "x".repeat(BODY_BYTES);
    let gzip = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff";
    // stored blocks of 32 KiB
    let block = [&[0, 0, 128, 255, 127][..], &vec![b'x'; 32_768]].concat();
    let zipped = [&gzip[..], &block.repeat(BODY_BYTES / block.len())].concat();
    let needs_all = r#"{"body": [{"contains": "end"}]}"#;
    let act = |name, first: &[u8], limit_kib| Act {
        name,
        first: first.to_vec(),
        unit: b"",
        expect: "{}",
        limit_kib,
    };
    let flood = |name, first, unit, limit_kib| Act {
        unit,
        ..act(name, first, limit_kib)
    };
    let keeps = |name, first, limit_kib| Act {
        expect: needs_all,
        ..act(name, first, limit_kib + KEPT_KIB)
    };
    let half_head = format!("{ok}X-A: {}", "a".repeat(16_000));
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n0\r\n");
    let plain = format!("{ok}\r\n{body}");
    vec![
        act("nothing", b"", SLOT_KIB),
        act("half a head", half_head.as_bytes(), SLOT_KIB),
        act("a body", plain.as_bytes(), SLOT_KIB),
        flood(
            "interim responses",
            b"",
            b"HTTP/1.1 103 Early Hints\r\n\r\n",
            SLOT_KIB,
        ),
        flood("trailers", chunked.as_bytes(), b"X-A: b\r\n", SLOT_KIB),
        act("a compressed body", &zipped, SLOT_KIB + DECODER_KIB),
        flood(
            "compressed nothing",
            gzip,
            &[0, 0, 0, 255, 255],
            SLOT_KIB + DECODER_KIB,
        ),
        keeps("a body that is kept", plain.as_bytes(), SLOT_KIB),
        keeps(
            "a compressed body that is kept",
            &zipped,
            SLOT_KIB + DECODER_KIB,
        ),
    ]
}

#[test]
fn the_memory_of_a_check_is_bounded_whatever_its_server_does() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Runtime::new().unwrap();
    let prober = prober(&runtime);
    // what the first check of all brings into memory, such as code, is no check's share
    let first = acts().pop().unwrap();
    let url = serve(1, first.first, first.unit);
    let site = |expect| Site {
        expect,
        timeout_ms: 500,
    };
    check_all(1, &prober, &url, site(first.expect));
    let before = status_kib("VmRSS:");
    for act in acts() {
        let url = serve(SLOTS, act.first, act.unit);
        // the most so far is forgotten: what is had now counts from here
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let results = check_all(SLOTS, &prober, &url, site(act.expect));
        let slot_kib = (status_kib("VmHWM:") - before) / SLOTS;
        println!("{}: {slot_kib} KiB", act.name);
        assert!(slot_kib <= act.limit_kib, "{}: {slot_kib} KiB", act.name);
        // each was there to the end of its time or of what it reads
        let ended = |reason| {
            use Reason::{BodyTimeout, ResponseTimeout, TooLarge};
            matches!(reason, Some(BodyTimeout | ResponseTimeout | TooLarge))
        };
        assert!(
            results.iter().all(|r| ended(r.reason)),
            "{}: {:?}",
            act.name,
            results[0]
        );
    }
}

/// A document of a mebibyte, with a thousand parts; all is well.
fn document() -> Vec<u8> {
    let part = format!(r#"{{"ok": true, "text": "{}"}}"#, "x".repeat(1_000));
    let parts = vec![part; 1_020].join(",");
    let body = format!(r#"{{"parts": [{parts}], "status": "ok"}}"#);
    let length = body.len();
    assert!(
        (1_020 * 1_024..=1_024 * 1_024).contains(&length),
        "{length}"
    );
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// Sends a document on so many connections, a piece on each in turn, from one thread; the URL.
fn serve_document(slots: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let document = document();
        let mut streams: Vec<(TcpStream, usize)> = (0..slots)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                // closing with the request unread would reset the connection
                assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
                stream.set_nonblocking(true).unwrap();
                (stream, 0)
            })
            .collect();
        while !streams.is_empty() {
            streams.retain_mut(|(stream, sent)| {
                let (_, rest) = document.split_at(*sent);
                match stream.write(rest.get(..16_384).unwrap_or(rest)) {
                    Ok(more) => *sent += more,
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                }
                *sent < document.len()
            });
            thread::yield_now();
        }
    });
    url
}

#[test]
fn a_thousand_bodies_of_json_at_once_stay_within_the_memory_for_bodies() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Runtime::new().unwrap();
    let prober = prober(&runtime);
    let site = Site {
        expect: r#"{"json": [{"path": "$.parts[*].ok", "equals": true},
                             {"path": "$.parts[7].text", "matches": "^x+$"},
                             {"path": "$.status", "equals": "ok"}]}"#,
        timeout_ms: 60_000,
    };
    let alone = check_all(1, &prober, &serve_document(1), site);
    assert_eq!(alone[0].reason, None, "{:?}", alone[0]);
    let before = status_kib("VmRSS:");
    let url = serve_document(ALL_SLOTS);
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let results = check_all(ALL_SLOTS, &prober, &url, site);
    let peak_kib = status_kib("VmHWM:") - before;
    let count = |reason| results.iter().filter(|r| r.reason == reason).count();
    let (up, lacking) = (count(None), count(Some(Reason::LocalResources)));
    println!("{peak_kib} KiB for {ALL_SLOTS} checks: {up} up, {lacking} without memory for a body");
    assert!(
        peak_kib <= BODY_MEMORY_KIB + ALL_SLOTS * SLOT_KIB,
        "{peak_kib} KiB"
    );
    // All bodies come at once, so most find no room: this machine's trouble, never the site's. Those who
    // leave make room, so the last one finds enough.
    assert!(up > 0);
    assert_eq!(up + lacking, ALL_SLOTS);
}
