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

use super::servers::{Known, Reply, Servers, Trouble};

/// The most answers kept: two for each name, so about 8,000 sites keep theirs.
const MAX_KEPT: usize = 16_384;
/// An answer takes so many bytes at most: a name of 253 bytes, 16 addresses, and its place.
const ANSWER_BYTES: usize = 640;
/// The most memory of the answers that are kept, in bytes.
pub(crate) const CACHE_BYTES: usize = MAX_KEPT * ANSWER_BYTES;

/// What the settings say, and what was answered since.
#[derive(Debug)]
pub(crate) struct View {
    /// The name servers.
    servers: Arc<Servers>,
    /// What is appended to names without a dot.
    search: Vec<Name>,
    /// The hosts file.
    hosts: Hosts,
    /// Answers that still hold; failures are not among them.
    kept: Cache<(Name, RecordType), Known>,
}

impl View {
    /// A view with no answers yet.
    pub(crate) fn new(servers: Servers, search: Vec<Name>, hosts: Hosts) -> Self {
        Self {
            servers: Arc::new(servers),
            search,
            hosts,
            kept: Cache::new(MAX_KEPT),
        }
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

    /// The names that are asked for in place of one: itself if it has a dot, else each of the search
    /// list and itself.
    pub(crate) fn candidates(&self, name: &Name) -> Vec<Name> {
        let bare = name.num_labels() == 1 && !name.is_fqdn();
        let search = self.search.iter().filter(|_| bare);
        // one that becomes too long is left out
        let longer = search.filter_map(|domain| name.clone().append_domain(domain).ok());
        let mut candidates: Vec<Name> = longer.chain([name.clone()]).collect();
        for candidate in &mut candidates {
            candidate.set_fqdn(true);
        }
        candidates
    }

    /// How long to wait for a name server when the look-up has `left`.
    pub(crate) fn server_timeout(&self, left: Duration) -> Duration {
        self.servers.server_timeout(left)
    }

    /// Asks, unless the answer is known still; `afresh` asks in any case.
    pub(crate) async fn ask(
        &self,
        name: &Name,
        kind: RecordType,
        server_timeout: Duration,
        afresh: bool,
    ) -> Reply {
        let key = (name.clone(), kind);
        let kept = self.kept.get(&key).filter(|_| !afresh);
        if let Some(known) = kept.filter(|known| known.until > Instant::now()) {
            return Ok(known);
        }
        let (servers, name) = (Arc::clone(&self.servers), name.clone());
        // on the runtime's own threads: the library needs more stack than a lane should have to touch;
        // a check that no longer waits takes the question back
        let mut question = JoinSet::new();
        question.spawn(async move { servers.ask(&name, kind, server_timeout).await });
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
