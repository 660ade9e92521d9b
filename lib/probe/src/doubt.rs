//! Is it me? Whether a failure may be this machine's own is asked of somebody who should be there.

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

use super::dial::Policy;
use super::dns::names::{Found, Names, Search};
use super::dns::servers::Trouble;
use super::fault::Fault;
use super::observed;
use crate::options::Reference;

/// How long the question may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long its answer is good for: so often at most it is asked, for all lanes.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What a failure may be the fault of, on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The resolver.
    Resolver,
    /// The network, as an error said.
    Network,
    /// The network, as nobody answers.
    Silence,
}

/// Settles doubts, for all lanes.
#[derive(Debug)]
pub(super) struct Doubts {
    /// Looks names up.
    names: Arc<Names>,
    /// Which addresses of a name that was found before may be dialled.
    policy: Arc<Policy>,
    /// Whom to ask.
    reference: Option<Reference>,
    /// What was heard last, and when. Who asks holds the lock, and the others wait for the answer.
    heard: Mutex<Option<(Instant, Heard)>>,
}

/// What was heard of somebody who should be there.
#[derive(Clone, Debug)]
struct Heard {
    /// By way of the network; the error goes into the detail.
    network: Result<(), String>,
    /// By way of the resolver.
    resolver: Result<(), String>,
}

impl Doubts {
    /// Asks `reference`, or a name that the DNS knew last where there is none.
    pub(super) fn new(
        names: Arc<Names>,
        policy: Arc<Policy>,
        reference: Option<Reference>,
    ) -> Self {
        Self {
            names,
            policy,
            reference,
            heard: Mutex::default(),
        }
    }

    /// A fault without doubt: somebody answers and the fault stands, or nobody does and it is this
    /// machine's own. Waits for the answer.
    pub(super) fn settle(&self, fault: Fault) -> Fault {
        let Some(doubt) = fault.doubt else {
            return fault;
        };
        // The name found last may be as silent as this one, and by the same server's fault.
        if doubt == Doubt::Silence && self.reference.is_none() {
            return Fault {
                doubt: None,
                ..fault
            };
        }
        let heard = self.hear();
        let (reason, answer) = match doubt {
            Doubt::Resolver => (Reason::ResolverUnreachable, heard.resolver),
            Doubt::Network | Doubt::Silence => (Reason::LocalNetwork, heard.network),
        };
        match answer {
            Ok(()) => Fault {
                doubt: None,
                ..fault
            },
            Err(silence) => Fault {
                doubt: None,
                reason,
                message: format!("{}; {silence}", fault.message),
                ..fault
            },
        }
    }

    /// What is heard now, or was a moment ago.
    fn hear(&self) -> Heard {
        let mut last = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, heard)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return heard.clone();
        }
        let heard = self.names.runtime().block_on(self.ask());
        *last = Some((Instant::now(), heard.clone()));
        heard
    }

    /// Asks. A site that is in doubt is no witness for itself.
    async fn ask(&self) -> Heard {
        let deadline = Instant::now() + LIMIT;
        let other = self.names.other_than(&host_in_doubt());
        let Some(reference) = &self.reference else {
            let nobody = "whether it is this machine's own failure cannot be asked: `reference` is not \
                          set, and no other name has been found before";
            let answer = match other {
                Some(name) => self.reach(&name, deadline).await.map(drop),
                None => Err(nobody.to_owned()),
            };
            return Heard {
                network: answer.clone(),
                resolver: answer,
            };
        };
        match self.reach(reference, deadline).await {
            Err(silence) => Heard {
                network: Err(silence.clone()),
                resolver: Err(silence),
            },
            Ok(true) => Heard {
                network: Ok(()),
                resolver: Ok(()),
            },
            Ok(false) => Heard {
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

    /// Reaches somebody, past what is known already; `true` if a name server showed the way.
    ///
    /// The reference may be at any address: it is the operator's own word. A name that was found before
    /// is a site's, and so may have become anything since.
    async fn reach(&self, whom: &Reference, deadline: Instant) -> Result<bool, String> {
        let search = Search {
            family: Family::Any,
            afresh: true,
            deadline,
        };
        let found = match whom.host.parse::<IpAddr>() {
            Ok(address) => Ok(Found {
                addresses: vec![address],
                by_dns: false,
            }),
            Err(_) => self.names.find(&whom.host, search).await,
        };
        let found = found.map_err(|trouble| match trouble {
            Trouble::NotFound => format!("and {whom} has no address either"),
            _ => format!("nor does the resolver answer for {whom}"),
        })?;
        let trusted = self.reference.as_ref() == Some(whom);
        let allowed = |ip: &&IpAddr| trusted || self.policy.judge(**ip).is_ok();
        let addresses = found.addresses.iter().filter(allowed);
        let addresses = addresses.map(|ip| SocketAddr::new(*ip, whom.port));
        if connects(addresses, deadline).await {
            return Ok(found.by_dns);
        }
        Err(format!("nor can {whom} be reached"))
    }
}

/// The host that was asked for last.
fn host_in_doubt() -> String {
    let url = observed::with(|observed| observed.hop().map(|hop| hop.url.clone()));
    let url = url.and_then(|url| url.parse::<Url>().ok());
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Whether somebody answers at one of these addresses; a refusal is an answer too.
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
mod tests {
    use std::net::TcpListener;

    use tokio::runtime::Runtime;

    use super::*;
    use crate::dns::system::Files;
    use crate::options::{Addresses, Dns};

    #[test]
    fn a_failure_of_the_network_is_the_sites_while_the_reference_answers() {
        let runtime = Runtime::new().unwrap();
        let dns = Dns::default();
        let names = Names::new(&dns, Files::default(), runtime.handle()).unwrap();
        let (names, policy) = (Arc::new(names), Policy::new(&Addresses::default()));
        let policy = Arc::new(policy);
        // the port of one that is gone: a refusal is an answer
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = gone.local_addr().unwrap().port();
        drop(gone);
        let failed = Reason::ConnectFailed;
        for (host, doubt, reason, message) in [
            (
                "127.0.0.1",
                Some(Doubt::Network),
                failed,
                "no route".to_owned(),
            ),
            (
                "224.0.0.1",
                Some(Doubt::Network),
                Reason::LocalNetwork,
                format!("no route; nor can 224.0.0.1:{port} be reached"),
            ),
            ("224.0.0.1", None, failed, "no route".to_owned()),
        ] {
            let host = host.to_owned();
            let reference = Some(Reference { host, port });
            let doubts = Doubts::new(Arc::clone(&names), Arc::clone(&policy), reference);
            let fault = Fault {
                doubt,
                ..Fault::at("connect", failed, "no route")
            };
            let settled = Fault::at("connect", reason, message);
            assert_eq!(doubts.settle(fault), settled);
        }
    }
}
