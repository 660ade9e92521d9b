//! Where a name server is, as `resolv.conf` and `dns.servers` write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The longest name of a network interface that Linux has, in bytes.
const MAX_ZONE_BYTES: usize = 15;

/// A name server's address and port. An address of one link alone has a zone, the link's interface
/// (RFC 4007, section 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Where it is, without the zone.
    pub(crate) address: SocketAddr,
    /// The interface behind which it is: its name or number.
    pub(crate) zone: Option<Box<str>>,
}

impl NameServer {
    /// Reads `192.0.2.53`, `fe80::1%eth0`, and both with a port: `192.0.2.53:5353`, `[fe80::1%eth0]:5353`.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, default_port),
            Some((host, rest)) => (host, rest.strip_prefix(':')?.parse().ok()?),
            None => match text.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, port.parse().ok()?),
                _ => (text, default_port),
            },
        };
        let bracketed = text.starts_with('[');
        let (address, zone) = zoned(host)?;
        let known = port != 0 && (address.is_ipv6() || !bracketed);
        known.then(|| Self {
            address: SocketAddr::new(address, port),
            zone: zone.map(Into::into),
        })
    }

    /// Whether the address means nothing without the zone that it lacks.
    pub(crate) fn lacks_zone(&self) -> bool {
        let on_a_link = |address: Ipv6Addr| address.is_unicast_link_local();
        self.zone.is_none()
            && matches!(self.address.ip(), IpAddr::V6(address) if on_a_link(address))
    }
}

/// An address and the zone behind it.
pub(crate) fn zoned(text: &str) -> Option<(IpAddr, Option<&str>)> {
    let Some((address, zone)) = text.split_once('%') else {
        return Some((text.parse().ok()?, None));
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '%');
    let fits = (1..=MAX_ZONE_BYTES).contains(&zone.len()) && !zone.contains(odd);
    let address: Ipv6Addr = address.parse().ok()?;
    fits.then_some((address.into(), Some(zone)))
}

impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            zone: None,
        }
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "[{}%{zone}]:{}", self.address.ip(), self.address.port()),
            None => write!(f, "{}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_zone_and_a_port() {
        for (text, read) in [
            ("192.0.2.53", Some("192.0.2.53:53")),
            ("192.0.2.53:5353", Some("192.0.2.53:5353")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("fe80::1%eth0", Some("[fe80::1%eth0]:53")),
            ("fe80::1%2", Some("[fe80::1%2]:53")),
            ("[fe80::1%eth0.7]:5353", Some("[fe80::1%eth0.7]:5353")),
            ("fe80::1%", None),
            ("fe80::1%eth0%eth1", None),
            ("fe80::1%a/b", None),
            ("fe80::1%an-interface-too-long", None),
            ("192.0.2.53%eth0", None),
            ("[192.0.2.53]:53", None),
            ("192.0.2.53:0", None),
            ("192.0.2.53:", None),
            ("[fe80::1%eth0]5353", None),
            ("resolver.example", None),
            ("", None),
        ] {
            let server = NameServer::parse(text, 53).map(|server| server.to_string());
            assert_eq!(server.as_deref(), read, "{text}");
        }
    }

    #[test]
    fn an_address_of_one_link_alone_lacks_its_zone() {
        for (text, lacks) in [("fe80::1", true), ("fe80::1%2", false), ("fd00::1", false)] {
            let server = NameServer::parse(text, 53).unwrap();
            assert_eq!(server.lacks_zone(), lacks, "{text}");
        }
    }
}
