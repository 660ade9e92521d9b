//! Names to addresses, within the time that a check has.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use color_eyre::eyre::Result;
use contract::site::request::Family;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::servers::{Reply, Trouble};
use super::system::{Files, System};
use super::view::View;
use crate::options::{Dns, Reference};

/// How long the answer with IPv6 addresses is waited for once there is an IPv4 address (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Looks names up, for all lanes.
#[derive(Debug)]
pub(crate) struct Names {
    /// Where the questions are asked.
    runtime: Handle,
    /// Name servers, search list and hosts file.
    system: System,
    /// The names that the DNS knew last, each with its port: the last, and the last other one.
    recent: Mutex<[Option<Reference>; 2]>,
}

/// How a name is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// Which addresses are wanted.
    pub(crate) family: Family,
    /// Whether answers that are known still do not count.
    pub(crate) afresh: bool,
    /// When it must end.
    pub(crate) deadline: Instant,
}

/// The addresses of a name.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The families in turn; at least one.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether a name server knew them.
    pub(crate) by_dns: bool,
}

impl Names {
    /// Looks names up on `runtime`, as the system's files and `dns` say.
    pub(crate) fn new(dns: &Dns, files: Files, runtime: &Handle) -> Result<Self> {
        Ok(Self {
            runtime: runtime.clone(),
            system: System::new(files, dns.servers.clone())?,
            recent: Mutex::default(),
        })
    }

    /// Where the questions are asked.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Looks a name up, on a thread that may wait.
    pub(crate) fn look_up(
        &self,
        host: &str,
        family: Family,
        left: Duration,
    ) -> Result<Found, Trouble> {
        let search = Search {
            family,
            afresh: false,
            deadline: Instant::now() + left,
        };
        // In a box: the stack is deep already, and each function on the way would have room for a copy.
        self.runtime.block_on(Box::pin(self.find(host, search)))
    }

    /// Looks a name up.
    pub(crate) async fn find(&self, host: &str, search: Search) -> Result<Found, Trouble> {
        let name = Name::from_ascii(host)
            .map_err(|error| Trouble::Unaskable(format!("no name for the DNS: {error}")))?;
        let view = self.system.view();
        let listed = view.listed(&name, search.family);
        if !listed.is_empty() {
            return Ok(Found {
                addresses: listed,
                by_dns: false,
            });
        }
        for candidate in view.candidates(&name) {
            match ask(&view, &candidate, search).await {
                // what comes of another failure is no business of the next candidate's
                Err(Trouble::NotFound) => {}
                Err(trouble) => return Err(trouble),
                Ok(addresses) => {
                    return Ok(Found {
                        addresses,
                        by_dns: true,
                    });
                }
            }
        }
        Err(Trouble::NotFound)
    }

    /// Notes that the DNS knows a name, whose port may be dialled.
    pub(crate) fn note(&self, host: &str, port: u16) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let [last, other] = &mut *recent;
        if last.as_ref().is_none_or(|last| last.host != host) {
            *other = last.take();
        }
        *last = Some(Reference {
            host: host.to_owned(),
            port,
        });
    }

    /// The name that the DNS knew last, other than `host`.
    pub(crate) fn other_than(&self, host: &str) -> Option<Reference> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = recent.iter().flatten();
        others.find(|name| name.host != host).cloned()
    }
}

/// Asks for a name's addresses. The questions go out together, and separately: one for both would
/// hide whether each was answered.
async fn ask(view: &View, name: &Name, search: Search) -> Result<Vec<IpAddr>, Trouble> {
    let Search {
        family,
        afresh,
        deadline,
    } = search;
    let server_timeout = view.server_timeout(left(deadline));
    let question = |kind| within(deadline, view.ask(name, kind, server_timeout, afresh));
    let (mut v4, mut v6) = (
        pin!(question(RecordType::A)),
        pin!(question(RecordType::AAAA)),
    );
    match family {
        Family::V4 => addresses(&[v4.await]),
        Family::V6 => addresses(&[v6.await]),
        Family::Any => tokio::select! {
            first = &mut v4 => {
                let wait = if has_addresses(&first) { RESOLUTION_DELAY } else { left(deadline) };
                addresses(&[within(Instant::now() + wait, v6).await, first])
            }
            first = &mut v6 => {
                let share = if has_addresses(&first) { 2 } else { 1 };
                let wait = left(deadline) / share;
                addresses(&[first, within(Instant::now() + wait, v4).await])
            }
        },
    }
}

/// The reply, or that there is none by then.
async fn within(deadline: Instant, reply: impl Future<Output = Reply>) -> Reply {
    let reply = timeout_at(deadline, reply).await;
    reply.unwrap_or(Err(Trouble::Silent))
}

/// The time that is left.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Whether there is an address in a reply.
fn has_addresses(reply: &Reply) -> bool {
    reply
        .as_ref()
        .is_ok_and(|known| !known.addresses.is_empty())
}

/// The replies' addresses, in turn; where there is none, the gravest trouble.
fn addresses(replies: &[Reply]) -> Result<Vec<IpAddr>, Trouble> {
    let known = replies.iter().flatten();
    let known: Vec<&[IpAddr]> = known.map(|known| known.addresses.as_slice()).collect();
    let longest = known.iter().map(|list| list.len()).max().unwrap_or(0);
    let in_turn =
        (0..longest).flat_map(|index| known.iter().filter_map(move |list| list.get(index)));
    let addresses: Vec<IpAddr> = in_turn.copied().collect();
    if addresses.is_empty() {
        let troubles = replies.iter().filter_map(|reply| reply.as_ref().err());
        return Err(troubles.max().cloned().unwrap_or(Trouble::NotFound));
    }
    Ok(addresses)
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
