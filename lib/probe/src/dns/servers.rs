//! One question to the name servers, and what they make of it.
//!
//! Each server has a resolver of the library's for itself, without a cache and without retries: among
//! several the library takes the first answer, be it a failure that the next server does not share,
//! and counts a name that does not exist as a mark against its server. So the servers are asked in
//! turn here, where an answer, a failure, silence and a server that is not there stay apart.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::timeout;

use super::sockets::{Failure, Sockets};
use crate::blame;

/// The longest wait for one server before another is asked, or the same one again: a datagram may be
/// lost, and a check has several seconds.
const MAX_SERVER_TIMEOUT: Duration = Duration::from_secs(1);
/// The shortest, so that a check with hardly any time left does not flood the servers.
const MIN_SERVER_TIMEOUT: Duration = Duration::from_millis(10);
/// The most addresses that are taken from an answer: the HTTP library has places for no more.
pub(crate) const MAX_ADDRESSES: usize = 16;
/// The longest that is remembered that a name has no address.
const MAX_NEGATIVE: Duration = Duration::from_secs(5);

/// Why there is no address, the least weighty first: what a later one says of the look-up counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Every question was answered, with nothing.
    NotFound,
    /// No name server can be reached.
    Unreachable(String),
    /// No answer in time.
    Silent,
    /// A name server answered that it has no answer.
    Failed(String),
    /// This machine lacks what it takes to ask.
    Exhausted(String),
    /// A defect of webmon's own.
    Lost,
    /// The name can be asked of no name server.
    Unaskable(String),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The addresses; possibly none.
    pub(crate) addresses: Vec<IpAddr>,
    /// Until when that holds.
    pub(crate) until: Instant,
}

/// The answer to a question, or why there is none.
pub(crate) type Reply = Result<Known, Trouble>;

/// The name servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// In the operator's order.
    all: Vec<Server>,
    /// Which to ask first: the one that answered last.
    first: AtomicUsize,
    /// Why there is none, where there is none.
    why_none: String,
}

/// A name server.
#[derive(Debug)]
struct Server {
    /// Where it is.
    address: SocketAddr,
    /// Asks it, once.
    resolver: Resolver<Sockets>,
    /// What went wrong with its sockets.
    failure: Failure,
}

impl Servers {
    /// These servers; `why_none` says why there are none if so.
    pub(crate) fn new(addresses: &[SocketAddr], why_none: String) -> Result<Self, NetError> {
        let servers = addresses.iter().map(|address| Server::new(*address));
        Ok(Self {
            all: servers.collect::<Result<_, _>>()?,
            first: AtomicUsize::new(0),
            why_none,
        })
    }

    /// How long to wait for each server when the look-up has `left`: all are asked twice in that time.
    pub(crate) fn server_timeout(&self, left: Duration) -> Duration {
        let questions = self.all.len().saturating_mul(2).max(1);
        let share = left / u32::try_from(questions).unwrap_or(u32::MAX);
        share.clamp(MIN_SERVER_TIMEOUT, MAX_SERVER_TIMEOUT)
    }

    /// Asks one server after the other, and again those that say nothing, without end.
    pub(crate) async fn ask(
        &self,
        name: &Name,
        kind: RecordType,
        server_timeout: Duration,
    ) -> Reply {
        loop {
            let mut worst = Trouble::Unreachable(self.why_none.clone());
            let first = self.first.load(Ordering::Relaxed);
            let in_turn = self.all.iter().enumerate().cycle().skip(first);
            for (index, server) in in_turn.take(self.all.len()) {
                match server.ask(name, kind, server_timeout).await {
                    Err(trouble) => worst = worst.max(trouble),
                    known => {
                        self.first.store(index, Ordering::Relaxed);
                        return known;
                    }
                }
            }
            if worst != Trouble::Silent {
                return Err(worst);
            }
        }
    }
}

impl Server {
    /// A server, at the usual protocols.
    fn new(address: SocketAddr) -> Result<Self, NetError> {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            connection.port = address.port();
        }
        let mut options = ResolverOpts::default();
        options.timeout = MAX_SERVER_TIMEOUT;
        options.attempts = 0;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        let config = ResolverConfig::from_name_servers(vec![server]);
        let sockets = Sockets::default();
        Ok(Self {
            address,
            failure: sockets.failure(),
            resolver: Resolver::builder_with_config(config, sockets)
                .with_options(options)
                .build()?,
        })
    }

    /// Asks once.
    async fn ask(&self, name: &Name, kind: RecordType, server_timeout: Duration) -> Reply {
        let asked = timeout(server_timeout, self.resolver.lookup(name.clone(), kind));
        match asked.await {
            Ok(Ok(lookup)) => Ok(known(&lookup, kind)),
            Ok(Err(error)) => self.explain(&error),
            Err(_) => Err(Trouble::Silent),
        }
    }

    /// What the library calls an error: an answer without a record, or none.
    fn explain(&self, error: &NetError) -> Reply {
        let server = format!("name server {}", self.address);
        Err(match error {
            NetError::Dns(DnsError::NoRecordsFound(nothing)) if is_answer(nothing) => {
                return Ok(Known {
                    addresses: Vec::new(),
                    until: Instant::now() + negative(nothing),
                });
            }
            NetError::Dns(DnsError::NoRecordsFound(nothing)) => Trouble::Failed(format!(
                "{server} has no answer ({})",
                nothing.response_code
            )),
            NetError::Dns(DnsError::ResponseCode(code)) => {
                Trouble::Failed(format!("{server} answers \"{code}\""))
            }
            NetError::Timeout | NetError::Busy => Trouble::Silent,
            NetError::Io(_) | NetError::NoConnections => self.unreachable(),
            other => Trouble::Failed(format!("{server} answers nonsense ({other})")),
        })
    }

    /// The question has not left this machine, or came back.
    fn unreachable(&self) -> Trouble {
        let Some(error) = self.failure.last() else {
            return Trouble::Unreachable(format!("name server {} cannot be reached", self.address));
        };
        if is_local(&error) {
            return Trouble::Exhausted(format!("this machine says: {error}"));
        }
        Trouble::Unreachable(format!(
            "name server {} cannot be reached: {error}",
            self.address
        ))
    }
}

/// An answer's addresses.
fn known(lookup: &Lookup, kind: RecordType) -> Known {
    let records = lookup.answers().iter();
    let records = records.filter(|record| record.record_type() == kind);
    let addresses = records.filter_map(|record| record.data.ip_addr());
    Known {
        addresses: addresses.take(MAX_ADDRESSES).collect(),
        until: lookup.valid_until(),
    }
}

/// Whether an answer without a record says that there is none, as opposed to a reference to other
/// servers from one that does not look further itself.
fn is_answer(nothing: &NoRecords) -> bool {
    let NoRecords {
        response_code,
        soa,
        ns,
        ..
    } = nothing;
    match response_code {
        ResponseCode::NXDomain => true,
        ResponseCode::NoError => soa.is_some() || ns.is_none(),
        _ => false,
    }
}

/// How long an answer without a record holds; without a word about it not at all (RFC 2308).
fn negative(nothing: &NoRecords) -> Duration {
    let told = Duration::from_secs(nothing.negative_ttl.unwrap_or(0).into());
    told.min(MAX_NEGATIVE)
}

/// Whether an error speaks of what this machine lacks.
fn is_local(error: &io::Error) -> bool {
    blame::shortage(error).is_some() || error.kind() == io::ErrorKind::AddrInUse
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::Query;

    use super::*;

    #[test]
    fn what_is_not_there_is_asked_for_again_soon() {
        let mut nothing = NoRecords::new(Query::new(), ResponseCode::NXDomain);
        for (told, held_s) in [(None, 0), (Some(3), 3), (Some(86_400), 5)] {
            nothing.negative_ttl = told;
            assert_eq!(negative(&nothing), Duration::from_secs(held_s), "{told:?}");
        }
    }

    #[test]
    fn every_server_is_asked_twice_within_a_check() {
        let servers = |count: u16| {
            let address = |index| SocketAddr::from(([127, 0, 0, 1], 5_300 + index));
            let addresses: Vec<SocketAddr> = (0..count).map(address).collect();
            Servers::new(&addresses, String::new()).unwrap()
        };
        for (count, left_ms, expected_ms) in
            [(1, 400, 200), (2, 400, 100), (3, 60_000, 1_000), (1, 1, 10)]
        {
            let server_timeout = servers(count).server_timeout(Duration::from_millis(left_ms));
            assert_eq!(
                server_timeout,
                Duration::from_millis(expected_ms),
                "{count} {left_ms}"
            );
        }
    }

    #[test]
    fn what_this_machine_lacks_is_no_fault_of_the_servers() {
        for (number, local) in [
            (libc::EMFILE, true),
            (libc::ENOBUFS, true),
            (libc::EADDRINUSE, true),
            (libc::ECONNREFUSED, false),
            (libc::ENETUNREACH, false),
            (libc::EPERM, false),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(is_local(&error), local, "{error}");
        }
    }
}
