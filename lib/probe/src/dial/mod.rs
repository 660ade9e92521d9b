//! Addresses to a connection: each is vetted before it may take part in the race.

mod policy;
mod race;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use contract::outcome::Reason;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

pub(crate) use self::policy::Policy;
use self::race::race;
use crate::blame::Answers;
use crate::fault::Fault;
use crate::observed::{self, Phase};
use crate::sockets::SocketBudget;
use crate::transport::TcpTransport;

/// Dials the addresses that may be dialled.
#[derive(Clone, Debug)]
pub(super) struct Dialler {
    /// Which addresses may be dialled.
    pub(super) policy: Arc<Policy>,
    /// Is told when a host answers.
    pub(super) answers: Arc<Answers>,
    /// The sockets that may be opened.
    pub(super) sockets: Arc<SocketBudget>,
}

impl Connector<()> for Dialler {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<TcpTransport>, ureq::Error> {
        observed::enter(Phase::Connect);
        let addresses = self.vet(&details.addrs)?;
        let dialled = race(addresses, &self.sockets);
        let refused = |fault: &Fault| fault.reason == Reason::ConnectRefused;
        if dialled.as_ref().err().is_none_or(refused) {
            self.answers.answered();
        }
        Ok(Some(TcpTransport::new(dialled?)))
    }
}

impl Dialler {
    /// The addresses that may be dialled; a fault when none is left.
    fn vet(&self, addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>, Fault> {
        let mut allowed = Vec::with_capacity(addresses.len());
        let mut refused = None;
        for address in addresses {
            match self.check(address.ip()) {
                Ok(()) => allowed.push(*address),
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        match refused {
            Some(fault) if allowed.is_empty() => Err(fault),
            _ => Ok(allowed),
        }
    }

    /// Whether an address may be dialled at this point of the check. To where a check begins, the owner of
    /// its site sends it; from there on the site itself does, and one that sends its visitors to such an
    /// address is down.
    fn check(&self, address: IpAddr) -> Result<(), Fault> {
        let (redirected, public) =
            observed::with(|observed| (observed.hops.len() > 1, observed.public));
        let refuse = |why: &str| {
            Err(if redirected {
                let message = format!("{address} {why}; a redirect leads there");
                Fault::here(Reason::Redirects, message)
            } else {
                Fault::here(Reason::AddressRefused, format!("{address} {why}"))
            })
        };
        if let Err(refusal) = self.policy.check(address) {
            return refuse(refusal.as_str());
        }
        if redirected && public && !policy::is_public(address) {
            return refuse("is not public, and what came before is");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ureq::http::Method;

    use super::*;
    use crate::options::Addresses;

    /// What is left of these addresses, at the first hop or behind a redirect from an address that is
    /// public or not.
    fn vetted(
        redirect_from_public: Option<bool>,
        addresses: &[&str],
    ) -> Result<Vec<String>, Reason> {
        observed::begin(Duration::from_secs(1), 0);
        observed::begin_hop(&Method::GET, "http://a.example/", 0);
        if let Some(public) = redirect_from_public {
            observed::with(|observed| observed.public = public);
            observed::begin_hop(&Method::GET, "http://b.example/", 0);
        }
        let allow = ["127.0.0.0/8", "10.0.0.1/32", "168.63.129.16/32"];
        let addresses_config = Addresses {
            allow: allow.map(|net| net.parse().unwrap()).to_vec(),
            deny: vec!["8.8.4.4/32".parse().unwrap()],
        };
        let dialler = Dialler {
            policy: Arc::new(Policy::new(&addresses_config)),
            answers: Arc::default(),
            sockets: SocketBudget::new(0),
        };
        let addresses = addresses
            .iter()
            .map(|text| SocketAddr::new(text.parse().unwrap(), 80));
        let left = dialler.vet(&addresses.collect::<Vec<_>>());
        left.map(|left| {
            left.iter()
                .map(|address| address.ip().to_string())
                .collect()
        })
        .map_err(|fault| fault.reason)
    }

    #[test]
    fn addresses_are_refused_only_when_none_is_left() {
        let some = ["10.0.0.2", "8.8.8.8", "8.8.4.4", "127.0.0.1", "::1"];
        assert_eq!(vetted(None, &some).unwrap(), ["8.8.8.8", "127.0.0.1"]);
        assert_eq!(
            vetted(None, &["10.0.0.2", "8.8.4.4"]),
            Err(Reason::AddressRefused)
        );
    }

    #[test]
    fn an_address_that_the_site_leads_to_is_the_fault_of_the_site() {
        for address in [
            "10.0.0.2",
            "169.254.169.254",
            "8.8.4.4",
            "::1",
            "::ffff:10.0.0.2",
        ] {
            assert_eq!(vetted(None, &[address]), Err(Reason::AddressRefused));
            for public in [true, false] {
                assert_eq!(vetted(Some(public), &[address]), Err(Reason::Redirects));
            }
        }
    }

    #[test]
    fn a_redirect_from_a_public_address_to_a_private_one_is_refused_in_every_mode() {
        let allowed = ["127.0.0.1", "10.0.0.1", "168.63.129.16", "::ffff:127.0.0.1"];
        for address in allowed {
            assert!(vetted(None, &[address]).is_ok(), "{address}");
            assert!(vetted(Some(false), &[address]).is_ok(), "{address}");
            assert_eq!(
                vetted(Some(true), &[address]),
                Err(Reason::Redirects),
                "{address}"
            );
        }
        let mixed = ["127.0.0.1", "8.8.8.8", "10.0.0.1"];
        assert_eq!(vetted(Some(true), &mixed).unwrap(), ["8.8.8.8"]);
    }
}
