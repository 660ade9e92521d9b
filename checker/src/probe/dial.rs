//! Addresses to a connection: each is vetted before it is dialled.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use contract::outcome::Reason;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::fault::{self, Fault};
use super::policy::{self, Policy};
use super::record::{self, Phase};
use super::wire::Wire;

/// Dials one address after the other until one answers.
#[derive(Clone, Debug)]
pub(super) struct Dialler {
    /// Which addresses may be dialled.
    pub(super) policy: Arc<Policy>,
}

impl Connector<()> for Dialler {
    type Out = Wire;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Wire>, ureq::Error> {
        record::enter(Phase::Connect);
        let addresses = self.vet(&details.addrs)?;
        let stream = dial_in_turn(&addresses)?;
        stream.set_nodelay(true)?;
        Ok(Some(Wire::new(stream)))
    }
}

impl Dialler {
    /// The addresses that may be dialled; a fault when none is left.
    fn vet(&self, addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>, Fault> {
        let mut allowed = Vec::with_capacity(addresses.len());
        let mut refused = None;
        for address in addresses {
            match self.judge(address.ip()) {
                Ok(()) => allowed.push(*address),
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        match refused {
            Some(fault) if allowed.is_empty() => Err(fault),
            _ => Ok(allowed),
        }
    }

    /// Whether an address may be dialled at this point of the check.
    fn judge(&self, address: IpAddr) -> Result<(), Fault> {
        let refuse = |why: &str| {
            let message = format!("{address} {why}");
            Err(Fault::here(Reason::AddressRefused, message))
        };
        if let Err(refusal) = self.policy.judge(address) {
            return refuse(refusal.as_str());
        }
        let from_public = record::with(|record| record.hops.len() > 1 && record.public);
        if from_public && !policy::is_public(address) {
            return refuse("is not public, and the redirect to it came from a public address");
        }
        Ok(())
    }
}

/// Dials one address after the other, each with a fair share of the time that is left.
fn dial_in_turn(addresses: &[SocketAddr]) -> Result<TcpStream, Fault> {
    let mut worst: Option<Fault> = None;
    for (index, address) in addresses.iter().enumerate() {
        let Some(left) = record::left() else { break };
        let waiting = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match dial(*address, left / waiting) {
            Ok(stream) => return Ok(stream),
            Err(fault) => worst = Some(more_remote(worst, fault)),
        }
    }
    Err(worst.unwrap_or_else(fault::timeout))
}

/// Dials one address.
fn dial(address: SocketAddr, limit: Duration) -> Result<TcpStream, Fault> {
    record::with(|record| {
        if let Some(hop) = record.hop() {
            hop.address = Some(address.ip());
        }
        record.public = policy::is_public(address.ip());
    });
    // a limit of zero is refused as an argument
    TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))).map_err(|error| {
        let mut fault = fault::explain_io(&error);
        fault.message = format!("{address}: {}", fault.message);
        fault
    })
}

/// Of two addresses' faults the one that came from farther away: it says most about the site.
fn more_remote(first: Option<Fault>, second: Fault) -> Fault {
    let distance = |fault: &Fault| match fault.reason {
        Reason::ConnectRefused => 3,
        Reason::ConnectFailed => 2,
        Reason::ConnectTimeout => 1,
        _ => 0,
    };
    match first {
        Some(first) if distance(&first) >= distance(&second) => first,
        _ => second,
    }
}
