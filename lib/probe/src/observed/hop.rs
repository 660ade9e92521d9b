//! One connection of a check, as people may see it.

use std::net::IpAddr;

use contract::result::Phases;
use ureq::http::Method;

use crate::tls::TlsSeen;
use crate::tls::lifetime::ChainEnd;

/// One connection of a check: the first, or one that a redirect or a challenge asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The method that was used.
    pub method: Method,
    /// What was asked for, normalised.
    pub url: String,
    /// The proxy that was to pass the request on.
    pub proxy: Option<String>,
    /// The address that was dialled; the proxy's, if there is one.
    pub address: Option<IpAddr>,
    /// The status of the response, once its head was complete, or refused.
    pub status: Option<u16>,
    /// The first line of the response's head that is no header, as a quotation: the head was read without it.
    pub passed_over: Option<String>,
    /// The phases of this connection; `total_us` is their sum, `proxy_us` included.
    pub phases: Phases,
    /// The time that opening a tunnel through the proxy took, in microseconds.
    pub proxy_us: Option<u64>,
    /// What was seen of TLS, if it was begun.
    pub tls: Option<TlsSeen>,
    /// The server's certificate as it came, in DER.
    pub(crate) leaf: Option<Vec<u8>>,
    /// When the first certificate ends that the connection needs; the server's own, if that is not known.
    pub(crate) chain_end: Option<ChainEnd>,
}
