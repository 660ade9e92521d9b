//! The memory of checks, whatever their rows say.
//!
//! This is a process of its own, for the kernel counts by process: the most that it ever had in memory while it
//! met rows made to fill it, less what it had before.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "what helps a test may fail it by panicking"
)]

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::outcome::Reason;
use contract::result::CheckResult;
use contract::task::Task;
use probe::{Addresses, ProbeOptions, Prober};
use rustls::RootCertStore;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

/// Lanes that check at a time.
const LANES: usize = 64;
/// What a lane may have, its thread's stack in a debug build included, in KiB.
const LANE_KIB: usize = 256;
/// What all may have together: what is kept compiled, what is being evaluated, and long options, in KiB.
const SHARED_KIB: usize = (32 + 32 + 24) * 1_024;

/// A number of `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.unwrap().trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap()
}

/// Answers every request with a text in which patterns find a lot to look at; the URL.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let body: String = ('a'..='ÿ').cycle().take(4_000).collect();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..4 {
        let (listener, answer) = (listener.try_clone().unwrap(), answer.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut lines = reader.by_ref().lines();
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                // a client may have left
                drop(stream.write_all(answer.as_bytes()));
                // closing with a part of the request unread would reset the connection
                drop(io::copy(&mut reader, &mut io::sink()));
            }
        });
    }
    url
}

/// Rows of one kind.
struct Rows {
    /// For messages.
    name: &'static str,
    /// How many.
    count: usize,
    /// `request` of one, by its number.
    request: fn(usize) -> String,
    /// `expect` of one, by its number.
    expect: fn(usize) -> String,
    /// Whether they make sense.
    valid: bool,
}

/// Nothing is asked for.
fn nothing(_: usize) -> String {
    "{}".to_owned()
}

/// Expectations with these patterns on the body.
fn patterns(patterns: impl Iterator<Item = String>) -> String {
    let rules = patterns.map(|pattern| serde_json::json!({"not_matches": pattern}).to_string());
    format!(r#"{{"body": [{}]}}"#, rules.collect::<Vec<_>>().join(", "))
}

/// What patterns do to fill a checker's memory.
fn rows_of_patterns() -> Vec<Rows> {
    vec![
        Rows {
            name: "many large patterns",
            count: 5,
            request: nothing,
            expect: |n| patterns((0..32).map(|m| format!(r"{n}x{m}\w{{20}}"))),
            valid: false,
        },
        Rows {
            name: "a large pattern each",
            count: 200,
            request: nothing,
            expect: |n| patterns([format!(r"{n}\w{{20}}")].into_iter()),
            valid: true,
        },
        Rows {
            name: "many ordinary patterns",
            count: 200,
            request: nothing,
            expect: |n| patterns((0..32).map(|m| format!(r"(?i)\b{n}störung\b{m}"))),
            valid: true,
        },
        Rows {
            name: "patterns that are slow to search for",
            count: 60,
            request: nothing,
            expect: |n| patterns([format!(r"(?:[a-z]\w?){{9}}{n}")].into_iter()),
            valid: true,
        },
    ]
}

/// What long options do to fill a checker's memory.
fn long_rows() -> Vec<Rows> {
    vec![
        Rows {
            name: "long texts",
            count: 2_000,
            request: |n| format!(r#"{{"body": "{n}{}"}}"#, "x".repeat(65_000)),
            expect: |n| {
                format!(
                    r#"{{"body": [{{"not_contains": "{n}{}"}}]}}"#,
                    "x".repeat(65_000)
                )
            },
            valid: true,
        },
        Rows {
            name: "long patterns' texts that are refused",
            count: 2_000,
            request: nothing,
            expect: |n| format!(r#"{{"matches{n}{}": 1}}"#, "x".repeat(65_000)),
            valid: false,
        },
        Rows {
            name: "many values",
            count: 2_000,
            request: nothing,
            expect: |n| format!(r#"{{"status": [{n}{}]}}"#, ",0".repeat(32_000)),
            valid: false,
        },
        Rows {
            name: "deep values",
            count: 2_000,
            request: |n| {
                format!(
                    r#"{{"headers": {}{n}{}}}"#,
                    "[".repeat(30_000),
                    "]".repeat(30_000)
                )
            },
            expect: nothing,
            valid: false,
        },
        Rows {
            name: "many headers",
            count: 2_000,
            request: |n| {
                let headers = (0..5_000).map(|m| format!(r#""{n}x{m}":"""#));
                format!(
                    r#"{{"headers": {{{}}}}}"#,
                    headers.collect::<Vec<_>>().join(",")
                )
            },
            expect: nothing,
            valid: false,
        },
    ]
}

/// Checks rows on so many lanes at once.
fn check_all(prober: &Prober, url: &str, rows: &Rows) -> Vec<CheckResult> {
    let next = AtomicUsize::new(0);
    let raw = |json: String| RawValue::from_string(json).unwrap();
    let lane = || {
        let prober = prober.for_another_lane();
        let mut results = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= rows.count {
                return results;
            }
            let task = Task {
                v: 1,
                installation: Installation::default(),
                site_id: SiteId(i64::try_from(n).unwrap()),
                name: "site".to_owned(),
                scheduled_at: UnixMs(1_000),
                expires_at: UnixMs(61_000),
                url: url.to_owned(),
                timeout_ms: 60_000,
                request: raw((rows.request)(n)),
                expect: raw((rows.expect)(n)),
            };
            results.push(prober.check(&task, UnixUs(5)));
        }
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap())
            .collect()
    })
}

#[test]
fn the_memory_of_checks_is_bounded_whatever_their_rows_say() {
    let runtime = Runtime::new().unwrap();
    let config = ProbeOptions {
        addresses: Addresses {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            deny: vec![],
        },
        ..ProbeOptions::default()
    };
    let prober = Prober::with_roots(&config, runtime.handle(), RootCertStore::empty()).unwrap();
    let url = serve();
    let before = status_kib("VmRSS:");
    for rows in rows_of_patterns().into_iter().chain(long_rows()) {
        let results = check_all(&prober, &url, &rows);
        let grown = status_kib("VmHWM:") - before;
        println!("{}: {grown} KiB", rows.name);
        assert!(
            grown <= SHARED_KIB + LANES * LANE_KIB,
            "{}: {grown} KiB",
            rows.name
        );
        for result in results {
            let right = match result.reason {
                None => rows.valid,
                Some(Reason::InvalidSite) => !rows.valid,
                // it found no core in time, or no memory for its options
                Some(reason) => reason == Reason::LocalResources,
            };
            assert!(right, "{}: {result:?}", rows.name);
        }
    }
}
