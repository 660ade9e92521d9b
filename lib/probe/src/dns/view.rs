//! What is known of names without a question, and the questions for the rest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::site::request::Family;
use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use quick_cache::sync::Cache;
use tokio::task::JoinSet;

use super::candidates::Completion;
use super::resolv_conf::{Families, Manner};
use super::search::Search;
use super::servers::{Known, Reply, Servers, Trouble};

/// The most answers kept: two for each name, so about 8,000 sites keep theirs.
const MAX_KEPT: usize = 16_384;
/// An answer takes so many bytes at most: a name of 253 bytes, 16 addresses, and its place.
const ANSWER_BYTES: usize = 640;
/// The most names whose completion is remembered.
const MAX_COMPLETED: usize = 8_192;
/// A completion takes so many bytes at most: two names of 253 bytes, and its place.
const COMPLETED_BYTES: usize = 640;
/// The most memory of the answers that are kept, in bytes.
pub(crate) const CACHE_BYTES: usize = MAX_KEPT * ANSWER_BYTES + MAX_COMPLETED * COMPLETED_BYTES;
/// How long the completed form of a name is asked for before all others. A busy name server would otherwise be asked
/// for every form that is not there, at nearly every check.
const COMPLETED_FOR: Duration = Duration::from_mins(5);

/// What the settings say, and what was answered since.
#[derive(Debug)]
pub(crate) struct View {
    /// The name servers.
    servers: Arc<Servers>,
    /// How names are completed.
    completion: Completion,
    /// The hosts file.
    hosts: Hosts,
    /// Answers that still hold; failures are not among them.
    kept: Cache<(Name, RecordType), Known>,
    /// Names that have addresses only as something completed them, and until when that form is asked for first.
    completed: Cache<Name, (Name, Instant)>,
}

impl View {
    /// A view with no answers yet.
    pub(crate) fn new(servers: Servers, completion: Completion, hosts: Hosts) -> Self {
        Self {
            servers: Arc::new(servers),
            completion,
            hosts,
            kept: Cache::new(MAX_KEPT),
            completed: Cache::new(MAX_COMPLETED),
        }
    }

    /// How the name servers are asked.
    pub(crate) fn manner(&self) -> &Manner {
        self.servers.manner()
    }

    /// How names are completed.
    pub(crate) fn completion(&self) -> &Completion {
        &self.completion
    }

    /// Addresses that need no question: the hosts file's, and this machine's own (RFC 6761).
    pub(crate) fn listed(&self, name: &Name, family: Family) -> Vec<IpAddr> {
        let kinds = kinds(family);
        let listed = kinds.iter().filter_map(|kind| {
            self.hosts
                .lookup_static_host(&Query::query(name.clone(), *kind))
        });
        let records = listed.flat_map(|lookup| lookup.answers().to_vec());
        let addresses: Vec<IpAddr> = records.filter_map(|record| record.data.ip_addr()).collect();
        if addresses.is_empty() && name.is_localhost() {
            return kinds.iter().map(|kind| loopback(*kind)).collect();
        }
        addresses
    }

    /// The names that are asked for in place of one, in turn; without those that were asked for before.
    pub(crate) fn candidates(&self, name: &Name, afresh: bool) -> Vec<Name> {
        let first = self.completed_form(name).filter(|_| !afresh);
        let all = first.into_iter().chain(self.completion.candidates(name));
        all.fold(Vec::new(), |mut candidates, candidate| {
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
            candidates
        })
    }

    /// Notes as which of its candidates a name has addresses, while those before have none. A name that is asked for as
    /// it is first remains so.
    pub(crate) fn note_found(&self, name: &Name, candidate: &Name) {
        let first = self.completion.candidates(name).next();
        let known = self.completed_form(name);
        if first.as_ref() == Some(candidate) || known.as_ref() == Some(candidate) {
            return;
        }
        if self.completion.search_first(name) {
            let found = (candidate.clone(), Instant::now() + COMPLETED_FOR);
            self.completed.insert(name.clone(), found);
        }
    }

    /// The completed form of a name that is asked for before all others.
    fn completed_form(&self, name: &Name) -> Option<Name> {
        if !self.completion.search_first(name) {
            return None;
        }
        let found = self.completed.get(name);
        let found = found.filter(|(_, until)| *until > Instant::now());
        found.map(|(candidate, _)| candidate)
    }

    /// The answers that still hold, of the name that would be asked for first; all of them, or none.
    pub(crate) fn kept(&self, name: &Name, family: Family) -> Option<Vec<Reply>> {
        let first = self.completed_form(name);
        let first = first.or_else(|| self.completion.candidates(name).next())?;
        let mut replies = Vec::with_capacity(2);
        for kind in self.asked_kinds(family) {
            replies.push(Ok(self.known(&(first.clone(), *kind))?));
        }
        Some(replies)
    }

    /// The questions about a name, as the settings allow them.
    fn asked_kinds(&self, family: Family) -> &'static [RecordType] {
        match family {
            Family::Any if self.manner().families == Families::V4Only => kinds(Family::V4),
            _ => kinds(family),
        }
    }

    /// An answer that still holds.
    fn known(&self, key: &(Name, RecordType)) -> Option<Known> {
        let kept = self.kept.get(key);
        kept.filter(|known| known.until > Instant::now())
    }

    /// Asks, unless the answer is known still or none is wanted; `afresh` asks in any case.
    pub(crate) async fn ask(&self, name: &Name, kind: RecordType, search: Search) -> Reply {
        let key = (name.clone(), kind);
        if let Some(known) = self.known(&key).filter(|_| !search.afresh) {
            return Ok(known);
        }
        let (servers, name) = (Arc::clone(&self.servers), name.clone());
        // on the runtime's own threads: the library needs more stack than a lane should have to touch;
        // a check that no longer waits takes the question back
        let mut question = JoinSet::new();
        question.spawn(async move { servers.ask(&name, kind, search.deadline).await });
        let reply = match question.join_next().await {
            Some(Ok(reply)) => reply,
            _ => Err(Trouble::Lost),
        };
        if let Ok(known) = &reply {
            self.kept.insert(key, known.clone());
        }
        reply
    }
}

/// The questions about a name.
fn kinds(family: Family) -> &'static [RecordType] {
    match family {
        Family::Any => &[RecordType::AAAA, RecordType::A],
        Family::V4 => &[RecordType::A],
        Family::V6 => &[RecordType::AAAA],
    }
}

/// This machine's own address.
fn loopback(kind: RecordType) -> IpAddr {
    match kind {
        RecordType::A => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv6Addr::LOCALHOST.into(),
    }
}
