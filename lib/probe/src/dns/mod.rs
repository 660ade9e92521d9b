//! A URL to addresses, as the HTTP library asks for them.

mod answer;
mod candidates;
mod hint;
pub(crate) mod names;
mod refusal;
mod resolv_conf;
pub(crate) mod search;
mod server;
pub(crate) mod servers;
pub(crate) mod sockets;
pub(crate) mod system;
pub(crate) mod view;
pub(crate) mod zone;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use contract::outcome::Reason;
use contract::site::request::Family;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use self::names::Names;
use self::servers::{MAX_ADDRESSES, Trouble};
use crate::blame;
use crate::dial::Policy;
use crate::fault::Fault;
use crate::observed;
use crate::sockets::SocketBudget;

/// Finds the addresses of a URL's host, of the family that the check wants.
#[derive(Clone, Debug)]
pub(super) struct NameResolver {
    /// Looks names up.
    pub(super) names: Arc<Names>,
    /// Which addresses may be dialled.
    pub(super) policy: Arc<Policy>,
    /// The sockets that may be opened.
    pub(super) sockets: Arc<SocketBudget>,
}

impl Resolver for NameResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (family, route) = observed::with(|observed| (observed.family, observed.route.clone()));
        // The host of a site with a proxy is looked up by the proxy.
        let target = route
            .as_ref()
            .map_or_else(|| target(uri), |route| Some(route.target()));
        let Some((host, port)) = target else {
            return Err(Fault::here(Reason::InvalidSite, "the URL names no host").into());
        };
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(of_family(address, family)?, port)],
            Err(_) => self.look_up(host, port, family)?,
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

impl NameResolver {
    /// Looks a name up within the time that is left.
    fn look_up(&self, host: &str, port: u16, family: Family) -> Result<Vec<SocketAddr>, Fault> {
        let left = observed::left().ok_or_else(blame::timeout)?;
        // one for each family; the answer may be known, but that is not yet
        let opened = self
            .sockets
            .take(2)
            .map_err(|error| blame::explain_io(&error))?;
        let found = self.names.look_up(host, family, left);
        drop(opened);
        let found = found.map_err(|trouble| self.explain(trouble, host, family))?;
        let allowed = |address: &IpAddr| self.policy.allows(*address);
        if found.by_dns && found.addresses.iter().any(allowed) {
            self.names.note(host, port);
        }
        let with_port = |address| SocketAddr::new(address, port);
        Ok(found.addresses.into_iter().map(with_port).collect())
    }

    /// Why there is no address, and what may help.
    #[inline(never)]
    fn explain(&self, trouble: Trouble, host: &str, family: Family) -> Fault {
        let hint = match trouble {
            Trouble::NotFound => self.names.hint(host, family),
            _ => None,
        };
        let fault = blame::explain_lookup(trouble, family);
        match hint {
            Some(hint) => Fault {
                message: format!("{}; {hint}", fault.message),
                ..fault
            },
            None => fault,
        }
    }
}

/// The host, without the brackets of IPv6, and the port of a URL.
pub(super) fn target(uri: &Uri) -> Option<(&str, u16)> {
    let host = uri.host()?;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let default = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    Some((bare.unwrap_or(host), uri.port_u16().unwrap_or(default)))
}

/// An address in the URL itself, if it is of the family that is wanted.
fn of_family(address: IpAddr, family: Family) -> Result<IpAddr, Fault> {
    let (wanted, right) = match family {
        Family::Any => return Ok(address),
        Family::V4 => ("4", address.is_ipv4()),
        Family::V6 => ("6", address.is_ipv6()),
    };
    if right {
        return Ok(address);
    }
    let message = format!("the URL has the address {address}, and request.ip is {wanted}");
    Err(Fault::here(Reason::DnsNotFound, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_from_the_url() {
        for (url, expected) in [
            ("http://shop.example/", ("shop.example", 80)),
            ("https://shop.example/", ("shop.example", 443)),
            ("https://[::1]:8443/", ("::1", 8443)),
        ] {
            assert_eq!(target(&url.parse().unwrap()), Some(expected));
        }
    }
}
