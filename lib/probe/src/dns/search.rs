//! The questions of a look-up: for each form of the name, and for each family of addresses.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use contract::site::request::Family;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::{Instant, timeout_at};

use super::resolv_conf::Families;
use super::servers::{Reply, Trouble};
use super::view::View;

/// How long the answer with IPv6 addresses is waited for once there is an IPv4 address (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
/// So many forms of a name are asked for beside one another at most: where two get no answer the third gets none.
const MAX_SILENT: usize = 2;

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

/// Asks for the forms of a name, one after the other, until one has an address.
///
/// As in the GNU C library a form that does not exist, or whose server fails, leaves its turn to the next one, and
/// so does one that gets no answer; but here it is still listened to. Half of the time that is left is for it.
pub(super) async fn ask_all(
    view: &View,
    name: &Name,
    search: Search,
) -> Result<Vec<IpAddr>, Trouble> {
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
                // a form before it may have an address in a moment, unless each was answered
                if gravest == Trouble::NotFound && asked.is_empty() {
                    view.note_found(name, candidate);
                }
                return Ok(addresses);
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
    while let Some((_, reply)) = asked.next().await {
        match reply {
            Ok(addresses) => return Ok(addresses),
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
pub(super) fn addresses(replies: &[Reply]) -> Result<Vec<IpAddr>, Trouble> {
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
mod tests {
    use super::*;
    use crate::dns::servers::Known;

    #[test]
    fn both_families_have_their_turn() {
        let known = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            Ok(Known {
                addresses: addresses.collect(),
                until: std::time::Instant::now(),
            })
        };
        let found = addresses(&[known(&["::1"]), known(&["127.0.0.1", "127.0.0.2"])]).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["::1", "127.0.0.1", "127.0.0.2"]);
    }
}
