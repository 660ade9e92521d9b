//! One name server, and what its answers mean.
//!
//! It is asked with EDNS, so that long answers need no TCP. A server that does not know EDNS may refuse such a
//! question, and is asked once more without (RFC 6891, section 7). Any other failure may come of EDNS as well, as
//! old servers and firewalls have ways of their own: some say nothing at all. That a server does not know EDNS is
//! remembered for a while, so that it does not cost each question a second one.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};

use super::answer::{is_answer, known, negative};
use super::refusal::{Refusal, is_of_edns};
use super::servers::{Known, Reply, Trouble};
use super::sockets::{Failure, Sockets};
use crate::blame;
use crate::options::NameServer;

/// The longest that one question may be waited for, whatever time the check has.
const QUESTION_TIMEOUT: Duration = Duration::from_mins(1);
/// A server that is silent so often, and then answers without EDNS, does not know it. Less may be bad luck.
const SILENCES: u8 = 3;
/// How long is remembered that a server does not know EDNS.
const WITHOUT_EDNS: Duration = Duration::from_mins(10);

/// A name server.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it is.
    address: NameServer,
    /// Asks it, once, with EDNS.
    with_edns: Resolver<Sockets>,
    /// Asks it, once, without.
    without_edns: Resolver<Sockets>,
    /// Until when it is asked without at once.
    refuses_until: Mutex<Option<Instant>>,
    /// How often in a row it was silent, and then answered without.
    silences: AtomicU8,
    /// What went wrong with its sockets.
    failure: Failure,
}

/// Why there is no answer.
struct NoAnswer {
    /// The trouble.
    trouble: Trouble,
    /// Whether it may come of EDNS.
    edns: Edns,
}

/// Whether a trouble comes of EDNS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edns {
    /// The server says so.
    Refused,
    /// It may be.
    Doubtful,
    /// No word of the server is known.
    Unknown,
}

impl Server {
    /// A server, asked over TCP alone or as usual.
    pub(super) fn new(address: &NameServer, over_tcp: bool) -> Result<Self, NetError> {
        let sockets = Sockets::new(address.zone.as_deref());
        let mut protocols = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        if over_tcp {
            protocols.remove(0);
        }
        Ok(Self {
            address: address.clone(),
            failure: sockets.failure(),
            with_edns: resolver(address, &protocols, true, &sockets)?,
            without_edns: resolver(address, &protocols, false, &sockets)?,
            refuses_until: Mutex::default(),
            silences: AtomicU8::new(0),
        })
    }

    /// Asks; `again` after it was asked and said nothing.
    pub(super) async fn ask(&self, name: &Name, kind: RecordType, again: bool) -> Reply {
        let mut refused = false;
        if !again && !self.refuses_edns() {
            match self.ask_by(&self.with_edns, name, kind).await {
                Ok(known) => {
                    self.silences.store(0, Ordering::Relaxed);
                    return Ok(known);
                }
                Err(none) if none.edns == Edns::Unknown => return Err(none.trouble),
                Err(none) => refused = none.edns == Edns::Refused,
            }
        }
        let reply = self.ask_by(&self.without_edns, name, kind).await;
        if reply.is_ok() && (refused || again && self.is_silent_often()) {
            self.note_refusal();
        }
        reply.map_err(|none| none.trouble)
    }

    /// Counts a silence; whether it is one of many.
    fn is_silent_often(&self) -> bool {
        self.silences.fetch_add(1, Ordering::Relaxed) + 1 >= SILENCES
    }

    /// Whether it refused EDNS a while ago.
    fn refuses_edns(&self) -> bool {
        let until = self.refuses_until.lock();
        let until = until.unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }

    /// Notes that it refuses EDNS; after a while it is asked with EDNS again.
    fn note_refusal(&self) {
        self.silences.store(0, Ordering::Relaxed);
        let until = self.refuses_until.lock();
        *until.unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + WITHOUT_EDNS);
    }

    /// Asks once.
    async fn ask_by(
        &self,
        resolver: &Resolver<Sockets>,
        name: &Name,
        kind: RecordType,
    ) -> Result<Known, NoAnswer> {
        match resolver.lookup(name.clone(), kind).await {
            Ok(lookup) => Ok(known(&lookup, kind)),
            Err(error) => self.explain(&error),
        }
    }

    /// What the library calls an error: an answer without a record, or none.
    fn explain(&self, error: &NetError) -> Result<Known, NoAnswer> {
        let server = format!("name server {}", self.address);
        let failed = |how: String| Trouble::Failed(format!("{server} {how}"));
        let (trouble, edns) = match error {
            NetError::Dns(DnsError::NoRecordsFound(nothing)) if is_answer(nothing) => {
                return Ok(Known {
                    addresses: Vec::new(),
                    until: Instant::now() + negative(nothing),
                });
            }
            NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
                let how = format!("has no answer ({})", nothing.response_code);
                (failed(how), Edns::Doubtful)
            }
            NetError::Dns(DnsError::ResponseCode(code)) => {
                let clear = is_of_edns(*code);
                let edns = if clear { Edns::Refused } else { Edns::Doubtful };
                (failed(format!("answers \"{code}\"")), edns)
            }
            NetError::Timeout | NetError::Busy => (Trouble::Silent, Edns::Unknown),
            NetError::Io(_) | NetError::NoConnections => self.explain_io(),
            other => (
                failed(format!("answers nonsense ({other})")),
                Edns::Doubtful,
            ),
        };
        Err(NoAnswer { trouble, edns })
    }

    /// The question has not left this machine, or came back, or what came is no answer for the library.
    fn explain_io(&self) -> (Trouble, Edns) {
        let server = format!("name server {}", self.address);
        let Some(error) = self.failure.last() else {
            let trouble = Trouble::Unreachable(format!("{server} cannot be reached"));
            return (trouble, Edns::Unknown);
        };
        if let Some(refusal) = error.get_ref().and_then(|e| e.downcast_ref::<Refusal>()) {
            return (
                Trouble::Failed(format!("{server} {refusal}")),
                Edns::Refused,
            );
        }
        let trouble = if is_local(&error) {
            Trouble::Exhausted(format!("this machine says: {error}"))
        } else {
            Trouble::Unreachable(format!("{server} cannot be reached: {error}"))
        };
        (trouble, Edns::Unknown)
    }
}

/// A resolver of the library's that asks one server, once.
fn resolver(
    server: &NameServer,
    protocols: &[ConnectionConfig],
    edns: bool,
    sockets: &Sockets,
) -> Result<Resolver<Sockets>, NetError> {
    let mut connections = protocols.to_vec();
    for connection in &mut connections {
        connection.port = server.address.port();
    }
    let server = NameServerConfig::new(server.address.ip(), true, connections);
    let mut options = ResolverOpts::default();
    options.timeout = QUESTION_TIMEOUT;
    options.attempts = 0;
    options.cache_size = 0;
    options.edns0 = edns;
    options.use_hosts_file = ResolveHosts::Never;
    let config = ResolverConfig::from_name_servers(vec![server]);
    Resolver::builder_with_config(config, sockets.clone())
        .with_options(options)
        .build()
}

/// Whether an error speaks of what this machine lacks.
fn is_local(error: &io::Error) -> bool {
    blame::shortage(error).is_some() || error.kind() == io::ErrorKind::AddrInUse
}

#[cfg(test)]
mod tests {
    use super::*;

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
