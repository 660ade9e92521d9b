//! Whether this machine's network and resolver work: asked of a host that should be up.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::outcome::Reason;
use contract::site::request::Family;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::dial::Policy;
use crate::dns::names::{Found, Names};
use crate::dns::search::Search;
use crate::dns::servers::Trouble;
use crate::dns::zone::in_zone;
use crate::fault::{Fault, Suspect};
use crate::observed;
use crate::options::{Reference, zoned};

/// How long the question may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long its answer is good for: so often at most it is asked, for all lanes.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// Tells whether network and resolver work, for all lanes.
#[derive(Debug)]
pub(crate) struct Connectivity {
    /// Looks names up.
    names: Arc<Names>,
    /// Which addresses of a name that was found before may be dialled.
    policy: Arc<Policy>,
    /// The host to ask.
    reference: Option<Reference>,
    /// What was found last, and when. The check that asks holds the lock, and the others wait for the answer.
    last: Mutex<Option<(Instant, Findings)>>,
}

/// What works and what does not.
#[derive(Clone, Debug)]
struct Findings {
    /// The network; the error goes into the detail.
    network: Result<(), String>,
    /// The resolver.
    resolver: Result<(), String>,
}

impl Connectivity {
    /// Asks `reference`, or a name that the DNS knew last where there is none.
    pub(crate) fn new(
        names: Arc<Names>,
        policy: Arc<Policy>,
        reference: Option<Reference>,
    ) -> Self {
        Self {
            names,
            policy,
            reference,
            last: Mutex::default(),
        }
    }

    /// The fault without a suspect: what is suspected works and the fault stands, or it does not and the fault
    /// is this machine's own. Waits for the answer.
    pub(crate) fn decide(&self, fault: Fault) -> Fault {
        let Some(suspect) = fault.suspect else {
            return fault;
        };
        // The name found last may give no answer either, and by the same server's fault.
        if suspect == Suspect::NoAnswers && self.reference.is_none() {
            return Fault {
                suspect: None,
                ..fault
            };
        }
        let found = self.findings();
        let (reason, answer) = match suspect {
            Suspect::Resolver => (Reason::ResolverUnreachable, found.resolver),
            // A proxy is asked itself.
            Suspect::Network | Suspect::NoAnswers | Suspect::Proxy => {
                (Reason::LocalNetwork, found.network)
            }
        };
        match answer {
            Ok(()) => Fault {
                suspect: None,
                ..fault
            },
            Err(why) => Fault {
                suspect: None,
                reason,
                message: format!("{}; {why}", fault.message),
                ..fault
            },
        }
    }

    /// What is found now, or was a moment ago.
    fn findings(&self) -> Findings {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return found.clone();
        }
        let found = self.names.runtime().block_on(self.ask());
        *last = Some((Instant::now(), found.clone()));
        found
    }

    /// Asks. The host of the check that failed is no witness for itself.
    async fn ask(&self) -> Findings {
        let deadline = Instant::now() + LIMIT;
        let other = self.names.other_than(&failed_host());
        let Some(reference) = &self.reference else {
            let no_host = "whether it is this machine's own failure cannot be asked: `reference` is not \
                          set, and no other name has been found before";
            let answer = match other {
                Some(name) => self.reach(&name, deadline).await.map(drop),
                None => Err(no_host.to_owned()),
            };
            return Findings {
                network: answer.clone(),
                resolver: answer,
            };
        };
        match self.reach(reference, deadline).await {
            Err(why) => Findings {
                network: Err(why.clone()),
                resolver: Err(why),
            },
            Ok(true) => Findings {
                network: Ok(()),
                resolver: Ok(()),
            },
            Ok(false) => Findings {
                network: Ok(()),
                resolver: self.resolver(other, deadline).await,
            },
        }
    }

    /// Whether the resolver answers, where the reference says nothing about it.
    async fn resolver(&self, other: Option<Reference>, deadline: Instant) -> Result<(), String> {
        match other {
            Some(name) => self.reach(&name, deadline).await.map(drop),
            None => Err(
                "whether it is the resolver cannot be asked: `reference` is found without the \
                         DNS, and no other name has been found before"
                    .to_owned(),
            ),
        }
    }

    /// Reaches a host, past what is known already; `true` if a name server showed the way.
    ///
    /// The reference may be at any address: it is the operator's own word. A name that was found before
    /// is a site's, and so may have become anything since.
    async fn reach(&self, host: &Reference, deadline: Instant) -> Result<bool, String> {
        let search = Search {
            family: Family::Any,
            afresh: true,
            deadline,
        };
        let literal = zoned(&host.host);
        let zone = literal.and_then(|(_, zone)| zone);
        let found = match literal {
            Some((address, _)) => Ok(Found {
                addresses: vec![address],
                by_dns: false,
            }),
            None => self.names.find(&host.host, search).await,
        };
        let found = found.map_err(|trouble| match trouble {
            Trouble::NotFound => format!("and {host} has no address either"),
            _ => format!("nor does the resolver answer for {host}"),
        })?;
        let trusted = self.reference.as_ref() == Some(host);
        let allowed = |ip: &&IpAddr| trusted || self.policy.allows(**ip);
        let addresses = found.addresses.iter().filter(allowed);
        let addresses = addresses.map(|ip| SocketAddr::new(*ip, host.port));
        // an interface that is not there leads nowhere
        let addresses = addresses.filter_map(|address| in_zone(address, zone).ok());
        if connects(addresses, deadline).await {
            return Ok(found.by_dns);
        }
        Err(format!("nor can {host} be reached"))
    }
}

/// The host that was asked for last.
fn failed_host() -> String {
    let url = observed::with(|observed| observed.hop().map(|hop| hop.url.clone()));
    let url = url.and_then(|url| url.parse::<Url>().ok());
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Whether a host answers at one of these addresses; a refusal is an answer too.
async fn connects(addresses: impl Iterator<Item = SocketAddr>, deadline: Instant) -> bool {
    let mut attempts: JoinSet<_> = addresses.map(TcpStream::connect).collect();
    while let Ok(Some(ended)) = timeout_at(deadline, attempts.join_next()).await {
        let answered = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
        if ended.is_ok_and(|attempt| attempt.as_ref().err().is_none_or(answered)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
#[path = "connectivity_tests.rs"]
mod tests;
