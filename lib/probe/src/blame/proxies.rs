//! Whether a proxy answers at all: asked of the proxy, after a check by way of it got no answer.
//!
//! A proxy that waits for a site is silent, and so is one that hangs. The first is the site's fault, the second says
//! nothing about the site.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use contract::outcome::Reason;
use quick_cache::sync::{Cache, GuardResult};

use crate::fault::Fault;
use crate::observed;

/// How long the question may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long its answer is good for: so often at most a proxy is asked, for all lanes.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// The most proxies whose answers are kept.
const MAX_KEPT: usize = 64;
/// A question that a proxy cannot pass on, and must answer itself: it names no host (RFC 9112, 3.2), and may not go
/// further (RFC 9110, 7.6.2).
const QUESTION: &[u8] = b"OPTIONS * HTTP/1.1\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n";
/// How each answer of HTTP begins.
const START: &[u8; 5] = b"HTTP/";

/// Tells whether proxies answer, for all lanes.
pub(super) struct Proxies(Cache<SocketAddr, (Instant, bool)>);

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl Default for Proxies {
    fn default() -> Self {
        Self(Cache::new(MAX_KEPT))
    }
}

impl Proxies {
    /// The fault without a suspect: the check's proxy answers and the fault stands, or it does not. Waits for the
    /// answer.
    pub(super) fn decide(&self, fault: Fault) -> Fault {
        let answers = address().is_some_and(|address| self.answers(address));
        let (reason, and) = if answers {
            (fault.reason, "the proxy answers other requests")
        } else {
            let and = "nor does the proxy answer another request over HTTP";
            (Reason::ProxyUnreachable, and)
        };
        Fault {
            reason,
            message: format!("{}; {and}", fault.message),
            suspect: None,
            ..fault
        }
    }

    /// Whether a proxy answers now, or did a moment ago. Of many checks one asks, and the others wait for the answer.
    fn answers(&self, proxy: SocketAddr) -> bool {
        let fresh = |known: &(Instant, bool)| known.0.elapsed() < GOOD_FOR;
        if self.0.get(&proxy).is_some_and(|known| !fresh(&known)) {
            self.0.remove(&proxy);
        }
        match self.0.get_value_or_guard(&proxy, Some(LIMIT)) {
            GuardResult::Value((_, answers)) => answers,
            GuardResult::Guard(guard) => {
                let answers = ask(proxy).unwrap_or(false);
                // what does not fit is used all the same
                let _kept = guard.insert((Instant::now(), answers));
                answers
            }
            GuardResult::Timeout => false,
        }
    }
}

/// The address of the proxy that was dialled last, which the policy has let pass.
fn address() -> Option<SocketAddr> {
    observed::with(|observed| {
        let (_, port) = observed.route.as_ref()?.target();
        let address = observed.hops.last()?.address?;
        Some(SocketAddr::new(address, port))
    })
}

/// Asks a proxy; whether it answers in HTTP.
fn ask(proxy: SocketAddr) -> io::Result<bool> {
    let end = Instant::now() + LIMIT;
    let mut connection = TcpStream::connect_timeout(&proxy, LIMIT)?;
    connection.set_write_timeout(Some(LIMIT))?;
    connection.write_all(QUESTION)?;
    let mut start = [0; START.len()];
    let mut read = 0;
    while let Some(room) = start.get_mut(read..).filter(|room| !room.is_empty()) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        connection.set_read_timeout(Some(left))?;
        match connection.read(room)? {
            0 => return Ok(false),
            more => read += more,
        }
    }
    Ok(&start == START)
}
