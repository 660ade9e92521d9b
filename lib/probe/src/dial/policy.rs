//! Which addresses may be dialled: public ones, unless the configuration says otherwise.
//!
//! `deny` beats `allow` beats the built-in list. Addresses that carry an IPv4 address inside are
//! checked as that one, or every private network could be reached under another name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::options::Addresses;
use crate::replaceable::Replaceable;

/// IANA's IPv4 Special-Purpose Address Registry, multicast (RFC 5771) and 240.0.0.0/4.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // shared (carrier-grade NAT)
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // IETF protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 31, 196, 0], 24), // AS112
    v4([192, 52, 193, 0], 24), // AMT
    v4([192, 88, 99, 0], 24),  // 6to4 relays, deprecated
    v4([192, 168, 0, 0], 16),  // private
    v4([192, 175, 48, 0], 24), // AS112
    v4([198, 18, 0, 0], 15),   // benchmarks
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// What IANA has given out for unicast on the internet.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The entries of IANA's IPv6 Special-Purpose Address Registry within [`GLOBAL_V6`].
const SPECIAL_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // IETF protocol assignments
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Where clouds keep their instances' credentials: admitted only one by one.
const METADATA: &[IpNet] = &[
    IpNet::V4(v4([169, 254, 0, 0], 16)),
    IpNet::V4(v4([168, 63, 129, 16], 32)),
    IpNet::V4(v4([100, 100, 100, 200], 32)),
    IpNet::V4(v4([192, 0, 0, 192], 32)),
    IpNet::V6(v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10)),
    IpNet::V6(v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128)),
    IpNet::V6(v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128)),
];

/// 6to4: the IPv4 address follows the prefix (RFC 3056).
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);
/// Teredo: the client's IPv4 address is at the end, inverted (RFC 4380).
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
/// NAT64: the IPv4 address is at the end (RFC 6052).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
/// IPv4 in the clothes of IPv6: the IPv4 address is at the end (RFC 4291).
const MAPPED: Ipv6Net = v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);

/// Which addresses may be dialled.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The exceptions.
    addresses: Replaceable<Addresses>,
}

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `addresses.deny` names it.
    Denied,
    /// It is a cloud's metadata service.
    Metadata,
    /// It is not public.
    NotPublic,
}

impl Refusal {
    /// The reason and the remedy, for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "is denied by addresses.deny",
            Self::Metadata => {
                "may be a cloud's metadata service; only its exact address in addresses.allow admits it"
            }
            Self::NotPublic => "is not a public address; addresses.allow can admit it",
        }
    }
}

impl Policy {
    /// The policy with the configuration's exceptions.
    pub(crate) fn new(addresses: &Addresses) -> Self {
        Self {
            addresses: Replaceable::new(addresses.clone()),
        }
    }

    /// Has other exceptions from now on.
    pub(crate) fn replace(&self, addresses: &Addresses) {
        self.addresses.set(addresses.clone());
    }

    /// Whether this address may be dialled.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.check(address).is_ok()
    }

    /// Why this address may not be dialled, if it may not.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let addresses = self.addresses.get();
        let Addresses { allow, deny } = &*addresses;
        let inside = inner(address);
        if contains(deny, address) || contains(deny, inside) {
            return Err(Refusal::Denied);
        }
        if contains(METADATA, inside) {
            let named = allow.contains(&IpNet::from(inside));
            return if named {
                Ok(())
            } else {
                Err(Refusal::Metadata)
            };
        }
        if contains(allow, inside) || is_public(address) {
            return Ok(());
        }
        Err(Refusal::NotPublic)
    }
}

/// Whether an address is public, whatever the configuration says. Metadata services never are: one
/// of them has an address out of a public network.
pub(super) fn is_public(address: IpAddr) -> bool {
    let inside = inner(address);
    if contains(METADATA, inside) {
        return false;
    }
    match inside {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|net| net.contains(&v4)),
        IpAddr::V6(v6) => {
            GLOBAL_V6.contains(&v6) && !SPECIAL_V6.iter().any(|net| net.contains(&v6))
        }
    }
}

/// The IPv4 address that an address carries inside, or the address itself.
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if MAPPED.contains(&v6) || NAT64.contains(&v6) {
        last_bytes(v6).into()
    } else if TEREDO.contains(&v6) {
        (!last_bytes(v6)).into()
    } else if SIX_TO_FOUR.contains(&v6) {
        let [_, _, a, b, c, d, ..] = v6.octets();
        Ipv4Addr::from([a, b, c, d]).into()
    } else {
        address
    }
}

/// The last four bytes.
fn last_bytes(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::from([a, b, c, d])
}

/// Whether one of the networks holds the address.
fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

/// A network of the tables above.
const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(address), prefix)
}

/// A network of the tables above.
const fn v6(address: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(address), prefix)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
