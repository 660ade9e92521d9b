//! What a check measured: one row of `check_result`, or one [`message`] on the way to it.

pub mod message;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::check::CheckKey;
use crate::instant::UnixUs;
use crate::outcome::{Outcome, Reason, outcome_of};

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Which check; the key of the row.
    pub check: CheckKey,
    /// Why the site is not up; `None` when it is.
    pub reason: Option<Reason>,
    /// What the probe saw; empty for a check that was not made.
    pub measured: Measured,
    /// A sentence for people.
    pub detail: Option<String>,
}

/// What a probe saw, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The start; `None` if the probe never started.
    pub started_at_us: Option<UnixUs>,
    /// The status of the final response.
    pub status: Option<u16>,
    /// The time of each phase.
    pub phases: Phases,
    /// Decoded bytes of the body that were read.
    pub body_bytes: Option<u64>,
    /// The address that was dialled last; the proxy's, if there is one.
    pub address: Option<IpAddr>,
    /// When the first certificate ends of those that the connections needed: the servers' and those that lead to an
    /// authority. In seconds since the Unix epoch.
    pub certificate_expires_at_s: Option<i64>,
}

/// The phases of a check in microseconds, summed over its redirects, up to the one that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Looking up the name.
    pub dns_us: Option<u64>,
    /// Connecting to the address, and opening a tunnel where it is a proxy's.
    pub connect_us: Option<u64>,
    /// The TLS handshake.
    pub tls_us: Option<u64>,
    /// From the connection to the first byte of the response, sending included.
    pub wait_us: Option<u64>,
    /// From the first byte of the response to the last of the body.
    pub receive_us: Option<u64>,
    /// The whole check, to the end of the body or to the failure.
    pub total_us: Option<u64>,
}

/// The longest sentence for people, in characters.
pub const MAX_DETAIL_CHARS: usize = 300;

/// A text that is no longer than a detail may be.
pub fn short(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_DETAIL_CHARS) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

impl CheckResult {
    /// A check that was not made, or says nothing about its site.
    pub fn unmeasured(check: CheckKey, reason: Reason) -> Self {
        Self {
            check,
            reason: Some(reason),
            measured: Measured::default(),
            detail: None,
        }
    }

    /// The same with a sentence for people, cut where it is too long.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(short(detail.into()));
        self
    }

    /// The outcome that the reason stands for.
    pub const fn outcome(&self) -> Outcome {
        outcome_of(self.reason)
    }
}
