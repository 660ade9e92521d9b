//! Names to addresses, within the time that a check has.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use color_eyre::eyre::Result;
use contract::site::request::Family;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::hint;
use super::resolv_conf::Families;
use super::servers::{Reply, Trouble};
use super::system::{Files, System};
use super::view::View;
use crate::options::{Dns, Reference};

/// How long the answer with IPv6 addresses is waited for once there is an IPv4 address (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
/// So many forms of a name are asked for beside one another at most: where two get no answer the third gets none.
const MAX_SILENT: usize = 2;

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
            system: System::new(files, dns.clone())?,
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
        let (view, name) = (self.system.view(), name_of(host)?);
        if let Some(found) = at_once(&view, &name, family) {
            return Ok(found);
        }
        if let Some(Ok(addresses)) = view.kept(&name, family).map(|kept| addresses(&kept)) {
            return Ok(Found::by_dns(addresses));
        }
        let search = Search {
            family,
            afresh: false,
            deadline: Instant::now() + left,
        };
        // In a box: the stack is deep already, and each function on the way would have room for a copy.
        self.runtime
            .block_on(Box::pin(ask_all(&view, &name, search)))
    }

    /// Looks a name up.
    pub(crate) async fn find(&self, host: &str, search: Search) -> Result<Found, Trouble> {
        let (view, name) = (self.system.view(), name_of(host)?);
        match at_once(&view, &name, search.family) {
            Some(found) => Ok(found),
            None => ask_all(&view, &name, search).await,
        }
    }

    /// What may help where a name has no address.
    #[inline(never)]
    pub(crate) fn hint(&self, host: &str, family: Family) -> Option<String> {
        let name = name_of(host).ok()?;
        hint::of(&self.system.view(), &name, family)
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

impl Found {
    /// Addresses that a name server knew.
    fn by_dns(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            by_dns: true,
        }
    }
}

/// A host as a name. The library knows no label that begins with a hyphen, but the DNS does.
fn name_of(host: &str) -> Result<Name, Trouble> {
    Name::from_ascii(host).or_else(|_| {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let mut name = Name::from_labels(bare.split('.').map(str::as_bytes))
            .map_err(|error| Trouble::Unaskable(format!("no name for the DNS: {error}")))?;
        name.set_fqdn(bare.len() < host.len());
        Ok(name)
    })
}

/// Addresses that need no question.
fn at_once(view: &View, name: &Name, family: Family) -> Option<Found> {
    let addresses = view.listed(name, family);
    (!addresses.is_empty()).then_some(Found {
        addresses,
        by_dns: false,
    })
}

/// Asks for the forms of a name, one after the other, until one has an address.
///
/// As in the GNU C library a form that does not exist, or whose server fails, leaves its turn to the next one, and
/// so does one that gets no answer; but here it is still listened to. Half of the time that is left is for it.
async fn ask_all(view: &View, name: &Name, search: Search) -> Result<Found, Trouble> {
    let candidates = view.candidates(name, search.afresh);
    let (mut asked, mut gravest) = (FuturesUnordered::new(), Trouble::NotFound);
    let mut in_turn = candidates.iter().peekable();
    while !left(search.deadline).is_zero()
        && let Some(candidate) = in_turn.next()
    {
        asked.push(async move { (candidate, ask(view, candidate, search).await) });
        let is_last = in_turn.peek().is_none() || asked.len() >= MAX_SILENT;
        let wait = if is_last {
            left(search.deadline)
        } else {
            left(search.deadline) / 2
        };
        match timeout_at(Instant::now() + wait, asked.next()).await {
            Ok(Some((candidate, Ok(addresses)))) => {
                view.note_found(name, candidate);
                return Ok(Found::by_dns(addresses));
            }
            Ok(Some((_, Err(trouble)))) => {
                let hopeless = !matches!(
                    trouble,
                    Trouble::NotFound | Trouble::Silent | Trouble::Failed(_)
                );
                gravest = gravest.max(trouble);
                if hopeless {
                    return Err(gravest);
                }
            }
            _ => {}
        }
    }
    if in_turn.peek().is_some() {
        // the time was over before it was asked for
        gravest = gravest.max(Trouble::Silent);
    }
    while let Some((candidate, reply)) = asked.next().await {
        match reply {
            Ok(addresses) => {
                view.note_found(name, candidate);
                return Ok(Found::by_dns(addresses));
            }
            Err(trouble) => gravest = gravest.max(trouble),
        }
    }
    Err(gravest)
}

/// Asks for a name's addresses. The questions go out together, and separately: one for both would
/// hide whether each was answered. There is an answer by the search's deadline.
async fn ask(view: &View, name: &Name, search: Search) -> Result<Vec<IpAddr>, Trouble> {
    let deadline = search.deadline;
    let question = |kind| view.ask(name, kind, search);
    let (mut v4, mut v6) = (
        pin!(question(RecordType::A)),
        pin!(question(RecordType::AAAA)),
    );
    let families = view.manner().families;
    match search.family {
        Family::V4 => addresses(&[v4.await]),
        Family::Any if families == Families::V4Only => addresses(&[v4.await]),
        Family::V6 if families == Families::V4Only => Err(Trouble::NotFound),
        Family::V6 => addresses(&[v6.await]),
        Family::Any if families == Families::OneByOne => {
            let first = v4.await;
            let wait = if has_addresses(&first) {
                RESOLUTION_DELAY
            } else {
                left(deadline)
            };
            addresses(&[within(Instant::now() + wait, v6).await, first])
        }
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
