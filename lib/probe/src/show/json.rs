//! A check as JSON: what is recorded, and each connection. Times are whole microseconds.

use std::net::IpAddr;

use contract::outcome::Reason;
use contract::result::Phases;
use serde::Serialize;

use super::{Report, rfc3339};
use crate::{CertificateSeen, Hop, TlsSeen};

/// The whole.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    /// The site's name, or the URL.
    name: &'a str,
    /// What was to be checked.
    url: &'a str,
    /// The verdict.
    outcome: &'static str,
    /// Why, where it is not `up`.
    reason: Option<&'static str>,
    /// A sentence for people.
    detail: Option<&'a str>,
    /// The status of the last response.
    status: Option<u16>,
    /// The address that was dialled last.
    address: Option<IpAddr>,
    /// Decoded bytes of the body that were read.
    body_bytes: Option<u64>,
    /// When the first of the certificates ends.
    certificate_expires_at: Option<String>,
    /// The phases of all connections.
    phases: Phases,
    /// The connections, in order.
    hops: Vec<ShownHop<'a>>,
    /// The command that asks the same.
    curl: Option<&'a str>,
}

/// One connection.
#[derive(Serialize)]
struct ShownHop<'a> {
    /// The method.
    method: &'a str,
    /// What was asked for.
    url: &'a str,
    /// The status of the response.
    status: Option<u16>,
    /// The proxy.
    proxy: Option<&'a str>,
    /// The address that was dialled; the proxy's, if there is one.
    address: Option<IpAddr>,
    /// A line of the response's head that is no header.
    passed_over: Option<&'a str>,
    /// What was seen of TLS.
    tls: Option<ShownTls<'a>>,
    /// Its phases.
    phases: Phases,
    /// The time that opening a tunnel through the proxy took.
    proxy_us: Option<u64>,
}

/// What was seen of TLS.
#[derive(Serialize)]
struct ShownTls<'a> {
    /// The version.
    version: Option<&'a str>,
    /// The server's certificate, also one that was refused.
    certificate: Option<ShownCertificate<'a>>,
}

/// A certificate.
#[derive(Serialize)]
struct ShownCertificate<'a> {
    /// The subject: what it was issued to.
    subject: &'a str,
    /// The issuer: the authority that vouches for it.
    issuer: &'a str,
    /// What it is for.
    names: &'a [String],
    /// From when it is valid.
    not_before: Option<String>,
    /// Until when it is valid.
    not_after: Option<String>,
}

impl<'a> Shown<'a> {
    /// A report, ready to be written.
    pub(super) fn of(report: &'a Report<'a>) -> Self {
        let result = &report.watched.result;
        let measured = &result.measured;
        Self {
            name: &report.task.name,
            url: &report.task.url,
            outcome: result.outcome().as_str(),
            reason: result.reason.map(Reason::as_str),
            detail: result.detail.as_deref(),
            status: measured.status,
            address: measured.address,
            body_bytes: measured.body_bytes,
            certificate_expires_at: measured.certificate_expires_at_s.and_then(rfc3339),
            phases: measured.phases,
            hops: report.watched.hops.iter().map(hop).collect(),
            curl: report.curl.as_deref(),
        }
    }
}

/// One connection.
fn hop(hop: &Hop) -> ShownHop<'_> {
    let Hop {
        method,
        url,
        proxy,
        address,
        status,
        passed_over,
        tls: seen,
        phases: measured,
        proxy_us,
        leaf: _,
        chain_end: _,
    } = hop;
    ShownHop {
        method: method.as_str(),
        url,
        status: *status,
        proxy: proxy.as_deref(),
        address: *address,
        passed_over: passed_over.as_deref(),
        tls: seen.as_ref().map(tls),
        phases: *measured,
        proxy_us: *proxy_us,
    }
}

/// What was seen of TLS.
fn tls(
    TlsSeen {
        version,
        certificate,
    }: &TlsSeen,
) -> ShownTls<'_> {
    let certificate = certificate.as_ref().map(|certificate| {
        let CertificateSeen {
            subject,
            issuer,
            names,
            not_before_s,
            not_after_s,
        } = certificate;
        ShownCertificate {
            subject,
            issuer,
            names,
            not_before: rfc3339(*not_before_s),
            not_after: rfc3339(*not_after_s),
        }
    });
    ShownTls {
        version: *version,
        certificate,
    }
}
