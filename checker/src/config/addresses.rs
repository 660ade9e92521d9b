//! `addresses`: which addresses may be dialled although they are not public, and which never.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use probe::Addresses;
use runtime::config::Document;
use serde::Deserialize;

/// The section `addresses` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAddresses {
    /// `addresses.allow`.
    allow: Option<Vec<String>>,
    /// `addresses.deny`.
    deny: Option<Vec<String>>,
}

/// Takes the section `addresses`; what it does not name stays as in `default`.
pub(super) fn take(document: &mut Document, default: Addresses) -> Option<Addresses> {
    let RawAddresses { allow, deny } = document.take("addresses")?;
    let allow = valid_list(document, "addresses.allow", allow, default.allow);
    let deny = valid_list(document, "addresses.deny", deny, default.deny);
    Some(Addresses {
        allow: allow?,
        deny: deny?,
    })
}

/// A list of networks; every wrong one is named.
fn valid_list(
    document: &mut Document,
    key: &str,
    raw: Option<Vec<String>>,
    default: Vec<IpNet>,
) -> Option<Vec<IpNet>> {
    let Some(raw) = raw else { return Some(default) };
    let read = |(index, text): (usize, &String)| {
        document.check(&format!("{key}[{index}]"), valid_network(text))
    };
    let networks: Vec<Option<IpNet>> = raw.iter().enumerate().map(read).collect();
    networks.into_iter().collect()
}

/// `10.0.0.0/8`, or a single address.
fn valid_network(text: &str) -> Result<IpNet, String> {
    let network: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "must be an address or a network like `10.0.0.0/8` or `fc00::/7`")?;
    if network != network.trunc() {
        return Err(format!(
            "has bits beyond its prefix: write `{}`",
            network.trunc()
        ));
    }
    match as_v4(network) {
        // Addresses are compared by the IPv4 address inside, so this entry would never count.
        Some(inside) => Err(format!("is IPv4 written as IPv6: write `{inside}`")),
        None => Ok(network),
    }
}

/// The IPv4 network inside a v4-mapped one (`::ffff:10.0.0.0/104`).
fn as_v4(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let inside = network.addr().to_ipv4_mapped()?;
    Ipv4Net::new(inside, network.prefix_len().checked_sub(96)?).ok()
}
