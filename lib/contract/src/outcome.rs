//! The verdict of a check: an outcome, and the reason where it is not `up`.
//!
//! Both lists are complete and part of the contract (`PostgreSQL` enums `check_outcome` and
//! `check_reason`, metric labels, messages to people). A reason belongs to exactly one outcome, so
//! code carries `Option<Reason>` and never a pair that could contradict itself.
//!
//! # To add a reason
//!
//! 1. Here: add it to [`Reason`], beside those of its outcome; the order is that of the enum in `PostgreSQL`. The
//!    compiler asks for the outcome. If a site with this reason held a slot for all of its timeout, add it to
//!    [`Reason::is_timeout`].
//! 2. `migration/src/`: a new file for the step, registered in `lib.rs`. The step adds the value to the enum
//!    `check_reason` at the same place (`ALTER TYPE … ADD VALUE … AFTER …`). `PostgreSQL` drops no value: the way back
//!    makes the type anew, gives the rows another reason, and revokes the rights of PUBLIC on the new type. Released
//!    steps are never edited. `migration/tests/history.rs` compares both lists, and holds the way back.
//! 3. `lib/store/src/schema/mod.rs`: `SCHEMA_VERSION` names the new step.
//! 4. If sites state something new: the key in `KEYS` and `parse` of `site/expect.rs` here, with `expect_tests.rs`, and
//!    `sites.yaml`.
//! 5. `lib/probe/src/`: return a `Fault` with the reason where it is found. An error of the system or of a library
//!    becomes a fault in `blame`, an expectation that is not met in `judge`; all else where it happens. Where this
//!    machine may be to blame, the fault names a `Suspect`. Add a test in `lib/probe/tests/probe/` that expects the
//!    reason. (The checker and the scheduler have reasons of their own, for checks that were not made.)
//! 6. `README.md`: the table of outcomes and reasons.
//!
//! Rows, metrics, dashboards and alerts take every reason by its name.

use std::fmt;
use std::str::FromStr;

/// A text that is the name of no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such name")]
pub struct UnknownName;

/// Defines an enum whose variants have one name each, the same in `PostgreSQL`, metrics and text.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of the `PostgreSQL` enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in `PostgreSQL`, metrics and text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let mut all = Self::ALL.iter().copied();
                all.find(|value| value.as_str() == name).ok_or(UnknownName)
            }
        }
    };
}

named! {
    /// What a check says about its site.
    Outcome {
        /// The site answered as expected.
        Up = "up",
        /// The site answered as expected, but something needs attention.
        Degraded = "degraded",
        /// The site did not answer as expected.
        Down = "down",
        /// The check says nothing about the site: the trouble was webmon's own.
        Inconclusive = "inconclusive",
        /// The check was not made in its time.
        Missed = "missed",
    }
}

named! {
    /// Why a check did not end as `up`.
    Reason {
        /// Slower than the site's `max_time`.
        Slow = "slow",
        /// A certificate that the connection needs expires within the site's `certificate_days`.
        CertificateExpiring = "certificate_expiring",
        /// Every question to the DNS was answered, with no address.
        DnsNotFound = "dns_not_found",
        /// The DNS did not answer in time.
        DnsTimeout = "dns_timeout",
        /// The DNS answered with a failure.
        DnsFailed = "dns_failed",
        /// No program listens on the port.
        ConnectRefused = "connect_refused",
        /// No answer to the connection attempt.
        ConnectTimeout = "connect_timeout",
        /// The connection attempt failed on the way or at the target.
        ConnectFailed = "connect_failed",
        /// The TLS handshake did not end in time.
        TlsTimeout = "tls_timeout",
        /// The TLS handshake failed.
        TlsHandshake = "tls_handshake",
        /// The server's certificate is not to be trusted.
        TlsCertificate = "tls_certificate",
        /// The response's head did not come in time.
        ResponseTimeout = "response_timeout",
        /// The body did not end in time.
        BodyTimeout = "body_timeout",
        /// The connection was closed or reset before the response was complete.
        Reset = "reset",
        /// The response is not HTTP/1.1.
        Protocol = "protocol",
        /// The body is not in the coding that its head names, or in a coding or charset that webmon cannot decode.
        Encoding = "encoding",
        /// Redirects without end, to nowhere, or more than allowed.
        Redirects = "redirects",
        /// The status is not among the expected.
        Status = "status",
        /// A header is not as expected.
        Header = "header",
        /// The body is not as expected.
        Body = "body",
        /// The JSON in the body is not as expected.
        Json = "json",
        /// The body is larger than the site's `max_size`.
        Size = "size",
        /// The response is larger than webmon reads, and could not be judged without the rest.
        TooLarge = "too_large",
        /// The address policy allows none of the site's addresses.
        AddressRefused = "address_refused",
        /// This machine ran out of descriptors, ports or memory.
        LocalResources = "local_resources",
        /// This machine has no route.
        LocalNetwork = "local_network",
        /// The DNS resolver is not there.
        ResolverUnreachable = "resolver_unreachable",
        /// The proxy of the site's row does not answer.
        ProxyUnreachable = "proxy_unreachable",
        /// The proxy of the site's row answers, and does not pass the request on.
        ProxyRefused = "proxy_refused",
        /// The site's row makes no sense.
        InvalidSite = "invalid_site",
        /// A secret that the site names is not there.
        SecretMissing = "secret_missing",
        /// A defect in webmon.
        Internal = "internal",
        /// Read from Kafka after it expired.
        Late = "late",
        /// Expired, or waited too long, while the checkers were busy.
        Backlog = "backlog",
        /// Neither a result nor a gap was found afterwards.
        Lost = "lost",
    }
}

impl Reason {
    /// Whether the site held a slot for all of its timeout; by way of a proxy that is away it may have.
    pub const fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::DnsTimeout
                | Self::ConnectTimeout
                | Self::TlsTimeout
                | Self::ResponseTimeout
                | Self::BodyTimeout
                | Self::ProxyUnreachable
        )
    }

    /// The outcome that this reason explains.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Slow | Self::CertificateExpiring => Outcome::Degraded,
            Self::DnsNotFound
            | Self::DnsTimeout
            | Self::DnsFailed
            | Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::ConnectFailed
            | Self::TlsTimeout
            | Self::TlsHandshake
            | Self::TlsCertificate
            | Self::ResponseTimeout
            | Self::BodyTimeout
            | Self::Reset
            | Self::Protocol
            | Self::Encoding
            | Self::Redirects
            | Self::Status
            | Self::Header
            | Self::Body
            | Self::Json
            | Self::Size
            | Self::TooLarge => Outcome::Down,
            Self::AddressRefused
            | Self::LocalResources
            | Self::LocalNetwork
            | Self::ResolverUnreachable
            | Self::ProxyUnreachable
            | Self::ProxyRefused
            | Self::InvalidSite
            | Self::SecretMissing
            | Self::Internal => Outcome::Inconclusive,
            Self::Late | Self::Backlog | Self::Lost => Outcome::Missed,
        }
    }
}

/// The outcome of a check with this reason; without one the site is up.
pub const fn outcome_of(reason: Option<Reason>) -> Outcome {
    match reason {
        None => Outcome::Up,
        Some(reason) => reason.outcome(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_known_by_its_name_and_by_no_other() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(*outcome));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        for name in ["", "Up", "up ", "nothing"] {
            assert_eq!(name.parse::<Outcome>(), Err(UnknownName));
            assert_eq!(name.parse::<Reason>(), Err(UnknownName));
        }
    }

    #[test]
    fn no_reason_explains_an_outcome_that_needs_none() {
        assert_eq!(outcome_of(None), Outcome::Up);
        assert!(Reason::ALL.iter().all(|r| r.outcome() != Outcome::Up));
    }
}
