//! What is shown of a check, and the bars of its phases.

use contract::check::{CheckKey, SiteId};
use contract::instant::UnixMs;
use contract::outcome::Reason;
use contract::result::{CheckResult, Measured, Phases};

use super::*;
use crate::{TlsSeen, Watched, fixtures};

/// A connection that took so many milliseconds, the half of it waiting.
fn hop(url: &str, status: Option<u16>, took_ms: u64) -> Hop {
    let us = |part: u64| Some(took_ms * 1_000 / part);
    Hop {
        method: ureq::http::Method::GET,
        url: url.to_owned(),
        address: Some("203.0.113.7".parse().unwrap()),
        status,
        phases: Phases {
            dns_us: us(4),
            connect_us: us(4),
            wait_us: us(2),
            total_us: us(1),
            ..Phases::default()
        },
        ..Hop::default()
    }
}

#[test]
fn each_connection_is_shown_with_what_was_seen_of_it() {
    let certificate = CertificateSeen {
        subject: "CN=shop".to_owned(),
        issuer: "CN=authority".to_owned(),
        names: vec!["shop.example".to_owned(), "www.shop.example".to_owned()],
        not_before_s: 0,
        not_after_s: 1_796_126_400,
    };
    let secure = Hop {
        tls: Some(TlsSeen {
            version: Some("TLS 1.3"),
            certificate: Some(certificate),
        }),
        ..hop("https://shop.example/", Some(500), 30)
    };
    let result = CheckResult {
        measured: Measured {
            body_bytes: Some(7),
            ..Measured::default()
        },
        ..CheckResult::unmeasured(CheckKey::new(SiteId(1), UnixMs(2)), Reason::Status)
    };
    let watched = Watched {
        result: result.with_detail("hop 2: expect: status 500, expected 2xx"),
        hops: vec![hop("http://shop.example/", Some(301), 10), secure],
    };
    let task = fixtures::task("http://shop.example/");
    let shown = Report::new(&task, &watched).to_string();
    let (before, curl) = shown.rsplit_once('\n').unwrap();
    let bar = |start: usize, length: usize| {
        let rest = 48 - start - length;
        format!(
            "{}{}{}",
            " ".repeat(start),
            "█".repeat(length),
            " ".repeat(rest)
        )
    };
    let lines = [
        "1  GET http://shop.example/ → 301".to_owned(),
        "   203.0.113.7".to_owned(),
        format!("   dns      {}      2.5 ms", bar(0, 3)),
        format!("   connect  {}      2.5 ms", bar(3, 3)),
        format!("   wait     {}      5.0 ms", bar(6, 6)),
        "2  GET https://shop.example/ → 500".to_owned(),
        "   203.0.113.7, TLS 1.3".to_owned(),
        "   certificate for shop.example, www.shop.example, by CN=authority, until 2026-12-01T12:00:00Z".to_owned(),
        format!("   dns      {}      7.5 ms", bar(12, 9)),
        format!("   connect  {}      7.5 ms", bar(21, 9)),
        format!("   wait     {}     15.0 ms", bar(30, 18)),
        "verdict  down (status), 7 bytes of body".to_owned(),
        "         hop 2: expect: status 500, expected 2xx".to_owned(),
    ];
    assert_eq!(before, lines.join("\n"));
    assert!(curl.starts_with("curl     curl "), "{curl}");
    let json = Report::new(&task, &watched).json().unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let tls = &json["hops"][1]["tls"];
    assert_eq!(tls["version"], "TLS 1.3");
    assert_eq!(tls["certificate"]["not_after"], "2026-12-01T12:00:00Z");
    assert_eq!(json["hops"][0]["tls"], serde_json::Value::Null);
}

#[test]
fn a_line_that_was_passed_over_is_shown() {
    let passed_over = Some("\"no header\"".to_owned());
    let hop = hop("http://shop.example/", Some(200), 10);
    let watched = Watched {
        result: CheckResult::unmeasured(CheckKey::new(SiteId(1), UnixMs(2)), Reason::Header),
        hops: vec![Hop { passed_over, ..hop }],
    };
    let task = fixtures::task("http://shop.example/");
    let report = Report::new(&task, &watched);
    let shown = report.to_string();
    let line = "\n   passed over a line of the head that is no header: \"no header\"\n";
    assert!(shown.contains(line), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["hops"][0]["passed_over"], "\"no header\"");
}

#[test]
fn bars_follow_each_other_and_none_is_invisible() {
    let mut scale = Scale {
        total_us: 1_000,
        passed_us: 0,
    };
    assert_eq!(scale.step(500), (0, WIDTH / 2));
    assert_eq!(scale.step(1), (WIDTH / 2, 1));
    assert_eq!(scale.step(499), (WIDTH / 2, WIDTH / 2));
    assert_eq!(scale.step(0), (WIDTH - 1, 1));
    let mut nothing = Scale {
        total_us: 0,
        passed_us: 0,
    };
    assert_eq!(nothing.step(0), (0, 1));
}
