//! A check as JSON: what is recorded, and each connection. Times are whole microseconds.

use std::net::IpAddr;

use contract::result::Phases;
use serde::Serialize;

use super::{Report, rfc3339};
use crate::probe::Hop;

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
    phases: ShownPhases,
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
    /// The address that was dialled.
    address: Option<IpAddr>,
    /// Its phases.
    phases: ShownPhases,
}

/// Phases in microseconds.
#[derive(Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit belongs to the names, which are those of the table"
)]
struct ShownPhases {
    /// Looking up the name.
    dns_us: Option<u64>,
    /// Connecting.
    connect_us: Option<u64>,
    /// The handshake.
    tls_us: Option<u64>,
    /// Waiting for the first byte.
    wait_us: Option<u64>,
    /// Receiving.
    receive_us: Option<u64>,
    /// All of it.
    total_us: Option<u64>,
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
            reason: result.reason.map(|reason| reason.as_str()),
            detail: result.detail.as_deref(),
            status: measured.status,
            address: measured.address,
            body_bytes: measured.body_bytes,
            certificate_expires_at: measured.certificate_expires_at_s.and_then(rfc3339),
            phases: phases(measured.phases),
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
        address,
        status,
        phases: measured,
    } = hop;
    ShownHop {
        method,
        url,
        status: *status,
        address: *address,
        phases: phases(*measured),
    }
}

/// Phases under their names.
fn phases(phases: Phases) -> ShownPhases {
    let Phases {
        dns_us,
        connect_us,
        tls_us,
        wait_us,
        receive_us,
        total_us,
    } = phases;
    ShownPhases {
        dns_us,
        connect_us,
        tls_us,
        wait_us,
        receive_us,
        total_us,
    }
}
