//! A check as a waterfall: one bar for each phase of each connection, on one scale, and the verdict.

use std::fmt::{self, Formatter};

use contract::result::Phases;
use contract::text::harmless;

use super::{Report, rfc3339};
use crate::{CertificateSeen, Hop};

/// How wide the waterfall is, in characters.
const WIDTH: u64 = 48;

/// Writes the waterfall, without a line end after the last line.
pub(super) fn write(f: &mut Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let hops = &report.watched.hops;
    let spent = |hop: &Hop| hop.phases.total_us.unwrap_or(0);
    let total_us = hops.iter().map(spent).sum::<u64>();
    let mut scale = Scale {
        total_us,
        passed_us: 0,
    };
    for (index, hop) in hops.iter().enumerate() {
        write_hop(f, index + 1, hop)?;
        for (name, took_us) in phases(hop.phases) {
            write_phase(f, name, took_us, &mut scale)?;
        }
    }
    write_verdict(f, report)?;
    match &report.curl {
        Some(curl) => write!(f, "curl     {curl}"),
        None => Ok(()),
    }
}

/// What was asked, of which server, and what came back.
fn write_hop(f: &mut Formatter<'_>, number: usize, hop: &Hop) -> fmt::Result {
    write!(f, "{number}  {} {}", hop.method, hop.url)?;
    match hop.status {
        Some(status) => writeln!(f, " → {status}")?,
        None => writeln!(f)?,
    }
    let tls = hop.tls.as_ref();
    let known = [
        hop.address.map(|address| address.to_string()),
        tls.and_then(|tls| tls.version).map(str::to_owned),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    if !known.is_empty() {
        writeln!(f, "   {}", known.join(", "))?;
    }
    match tls.and_then(|tls| tls.certificate.as_ref()) {
        Some(certificate) => write_certificate(f, certificate),
        None => Ok(()),
    }
}

/// The hosts that a certificate is for, its issuer, and how long it lasts.
fn write_certificate(f: &mut Formatter<'_>, certificate: &CertificateSeen) -> fmt::Result {
    let CertificateSeen {
        subject,
        issuer,
        names,
        not_after_s,
        ..
    } = certificate;
    let whose = if names.is_empty() {
        subject.clone()
    } else {
        names.join(", ")
    };
    let (whose, issuer) = (harmless(&whose), harmless(issuer));
    write!(f, "   certificate for {whose}, by {issuer}")?;
    match rfc3339(*not_after_s) {
        Some(end) => writeln!(f, ", until {end}"),
        None => writeln!(f),
    }
}

/// Where the next bar begins.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// The time that is as long as the waterfall is wide.
    total_us: u64,
    /// The time up to now.
    passed_us: u64,
}

impl Scale {
    /// Moves on by a phase; where its bar begins and how long it is, in characters.
    fn step(&mut self, took_us: u64) -> (u64, u64) {
        let column = |us: u64| {
            (u128::from(us) * u128::from(WIDTH))
                .checked_div(u128::from(self.total_us))
                .and_then(|column| u64::try_from(column).ok())
                .unwrap_or(0)
        };
        let (start, end) = (column(self.passed_us), column(self.passed_us + took_us));
        self.passed_us += took_us;
        // Whatever happened is to be seen.
        let start = start.min(WIDTH - 1);
        (start, end.saturating_sub(start).max(1))
    }
}

/// One bar.
fn write_phase(f: &mut Formatter<'_>, name: &str, took_us: u64, scale: &mut Scale) -> fmt::Result {
    let (start, length) = scale.step(took_us);
    let cells = |symbol: &str, count: u64| symbol.repeat(usize::try_from(count).unwrap_or(0));
    let rest = WIDTH.saturating_sub(start + length);
    writeln!(
        f,
        "   {name:<8} {}{}{} {:>11}",
        cells(" ", start),
        cells("█", length),
        cells(" ", rest),
        millis(took_us)
    )
}

/// The verdict and its reason.
fn write_verdict(f: &mut Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let result = &report.watched.result;
    write!(f, "verdict  {}", result.outcome())?;
    if let Some(reason) = result.reason {
        write!(f, " ({reason})")?;
    }
    if let Some(total_us) = result.measured.phases.total_us {
        write!(f, " after {}", millis(total_us))?;
    }
    if let Some(bytes) = result.measured.body_bytes {
        write!(f, ", {bytes} bytes of body")?;
    }
    writeln!(f)?;
    match &result.detail {
        Some(detail) => writeln!(f, "         {detail}"),
        None => Ok(()),
    }
}

/// The phases that were reached, in order.
fn phases(phases: Phases) -> impl Iterator<Item = (&'static str, u64)> {
    let named = [
        ("dns", phases.dns_us),
        ("connect", phases.connect_us),
        ("tls", phases.tls_us),
        ("wait", phases.wait_us),
        ("receive", phases.receive_us),
    ];
    named
        .into_iter()
        .filter_map(|(name, took_us)| Some((name, took_us?)))
}

/// A time, as people read it.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 285 years of microseconds"
)]
fn millis(us: u64) -> String {
    format!("{:.1} ms", us as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use contract::outcome::Reason;
    use contract::result::{CheckResult, Measured};

    use super::*;
    use crate::{TlsSeen, Watched, samples};

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
            ..CheckResult::unmeasured(1, 2, Reason::Status)
        };
        let watched = Watched {
            result: result.with_detail("hop 2: expect: status 500, expected 2xx"),
            hops: vec![hop("http://shop.example/", Some(301), 10), secure],
        };
        let task = samples::task("http://shop.example/");
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
}
