//! One connection of a check, as people may see it.

use std::net::IpAddr;

use contract::result::Phases;
use ureq::http::Method;

use crate::tls::TlsSeen;

/// One connection of a check: the first, or one that a redirect asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The method that was used.
    pub method: Method,
    /// What was asked for, normalised.
    pub url: String,
    /// The address that was dialled.
    pub address: Option<IpAddr>,
    /// The status of the response, once its head was complete.
    pub status: Option<u16>,
    /// The phases of this connection; `total_us` is their sum.
    pub phases: Phases,
    /// What was seen of TLS, if it was begun.
    pub tls: Option<TlsSeen>,
    /// The server's certificate as it came, in DER.
    pub(crate) leaf: Option<Vec<u8>>,
}
