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
    /// address is down. To its proxy a check is always sent by the owner.
    fn check(&self, address: IpAddr) -> Result<(), Fault> {
        let (redirected, public) = observed::with(|observed| {
            let redirected = observed.hops.len() > 1 && observed.route.is_none();
            (redirected, observed.public)
        });
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
mod tests;
