//! A check as a waterfall: one bar for each phase of each connection, on one scale, and the verdict.

use std::fmt::{self, Formatter};

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
        for (name, took_us) in phases(hop) {
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
    if let Some(proxy) = &hop.proxy {
        writeln!(f, "   by way of the proxy {proxy}")?;
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
    if let Some(certificate) = tls.and_then(|tls| tls.certificate.as_ref()) {
        write_certificate(f, certificate)?;
    }
    match &hop.passed_over {
        Some(line) => writeln!(
            f,
            "   passed over a line of the head that is no header: {line}"
        ),
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
fn phases(
    Hop {
        phases, proxy_us, ..
    }: &Hop,
) -> impl Iterator<Item = (&'static str, u64)> {
    let named = [
        ("dns", phases.dns_us),
        ("connect", phases.connect_us),
        ("proxy", *proxy_us),
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
#[path = "waterfall_tests.rs"]
mod tests;
