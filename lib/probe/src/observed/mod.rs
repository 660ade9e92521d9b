//! What the running check has observed so far.
//!
//! This is a thread-local, as the HTTP library leaves no other way. All checks of a lane share one
//! [`ureq::Agent`], and its [`Resolver`], [`Connector`] and [`Transport`] belong to the agent: their methods get
//! the URL and the agent's configuration, and nothing of the request that they work for (`ureq::unversioned`;
//! no field of [`ConnectionDetails`] can carry data of the caller). An agent for each check would allocate a
//! pool and its connectors each time. The library calls them all on the thread that called it, so what belongs
//! to the running check is found by its thread.
//!
//! [`Resolver`]: ureq::unversioned::resolver::Resolver
//! [`Connector`]: ureq::unversioned::transport::Connector
//! [`Transport`]: ureq::unversioned::transport::Transport
//! [`ConnectionDetails`]: ureq::unversioned::transport::ConnectionDetails

mod hop;
mod phase;

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::result::Phases;
use contract::site::request::Family;
use ureq::http::Method;

pub use self::hop::Hop;
pub(crate) use self::phase::{ConnectionEnd, Phase, ResponseState};
use crate::budget::Share;
use crate::proxy::Route;
use crate::secrets::revealed::Revealed;
use crate::tls::handshake::Handshake;
use crate::tls::lifetime::ChainEnd;
use crate::tls::x509;

/// What the running check has observed so far.
#[derive(Debug)]
pub(crate) struct Observed {
    /// When it began.
    started: Instant,
    /// The time it has.
    limit: Duration,
    /// The phase that is running, or ran last.
    phase: Phase,
    /// When it began, while it is running.
    since: Option<Instant>,
    /// The time from the start to the end, once it has ended, in microseconds.
    pub(crate) total_us: Option<u64>,
    /// Which addresses are asked.
    pub(crate) family: Family,
    /// Whether all is kept that is seen of each connection, to be shown.
    pub(crate) watched: bool,
    /// The connections up to now, the current one last.
    pub(crate) hops: Vec<Hop>,
    /// When the first of the certificates ends that are not kept any more.
    past_end: Option<ChainEnd>,
    /// What the check took for long options and certificates.
    pub(crate) options: Option<Share>,
    /// Whether the address that was dialled last is a public one.
    pub(crate) public: bool,
    /// Bytes that may still come over the wire.
    pub(crate) wire_left: u64,
    /// Whether more of this hop's response is to come.
    pub(crate) response: ResponseState,
    /// Whether this hop's connection came to its end.
    pub(crate) connection_end: ConnectionEnd,
    /// The longest line that is sent, in bytes.
    pub(crate) longest_line: usize,
    /// The proxy that the check goes by.
    pub(crate) route: Option<Arc<Route>>,
    /// The names of this hop's headers as the site writes them, one a line.
    pub(crate) own_names: Option<Arc<str>>,
    /// Whether the library was shown a head with headers under other names.
    pub(crate) hidden: bool,
    /// How TLS is spoken on this hop, if not as with any site.
    pub(crate) handshake: Option<Handshake>,
    /// Decoded bytes of the body that were read.
    pub(crate) body_bytes: Option<u64>,
    /// The values of secrets that were sent, which are never shown; kept until the next check begins.
    pub(crate) revealed: Revealed,
    /// Why a later server did not get what the first got, if it might have.
    pub(crate) withheld: Option<Box<str>>,
    /// What the last response asks for, where its status alone does not say it.
    pub(crate) remark: Option<Box<str>>,
}

thread_local! {
    /// What this thread's check has observed.
    static OBSERVED: RefCell<Observed> = RefCell::new(Observed::new(Instant::now(), Duration::ZERO, 0));
}

impl Observed {
    /// A check that begins at `started`, may take `limit` and read `wire_left` bytes.
    fn new(started: Instant, limit: Duration, wire_left: u64) -> Self {
        Self {
            started,
            limit,
            phase: Phase::Dns,
            since: None,
            total_us: None,
            family: Family::default(),
            watched: false,
            hops: Vec::new(),
            past_end: None,
            options: None,
            public: false,
            wire_left,
            response: ResponseState::Done,
            connection_end: ConnectionEnd::Open,
            longest_line: 0,
            route: None,
            own_names: None,
            hidden: false,
            handshake: None,
            body_bytes: None,
            revealed: Revealed::default(),
            withheld: None,
            remark: None,
        }
    }

    /// The current connection, if one has begun.
    pub(crate) fn hop(&mut self) -> Option<&mut Hop> {
        self.hops.last_mut()
    }

    /// The status of the current connection's response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.hops.last()?.status
    }

    /// The phases of all connections; a check that asked nothing measured nothing. A tunnel belongs to the connection
    /// that it is a part of.
    pub(crate) fn phases(&self) -> Phases {
        let mut sum = Phases::default();
        for Hop {
            phases, proxy_us, ..
        } in &self.hops
        {
            for (total, part) in [
                (&mut sum.dns_us, phases.dns_us),
                (&mut sum.connect_us, phases.connect_us),
                (&mut sum.tls_us, phases.tls_us),
                (&mut sum.wait_us, phases.wait_us),
                (&mut sum.receive_us, phases.receive_us),
            ] {
                add(total, part);
            }
            add(&mut sum.connect_us, *proxy_us);
            sum.total_us = self.total_us;
        }
        sum
    }

    /// When the first of the certificates on the way ends.
    pub(crate) fn certificate_end(&self) -> Option<ChainEnd> {
        let ends = self.hops.iter().filter_map(|hop| {
            let of_leaf = || {
                let (_, at_s) = x509::validity_s(hop.leaf.as_deref()?)?;
                let between = None;
                Some(ChainEnd { at_s, between })
            };
            hop.chain_end.clone().or_else(of_leaf)
        });
        ends.chain(self.past_end.clone()).min_by_key(|end| end.at_s)
    }

    /// Another connection is about to begin. Of the one before it only what counts is kept, or a server would
    /// fill the memory by redirects.
    fn forget_the_last(&mut self) {
        if self.watched || self.hops.is_empty() {
            return;
        }
        self.past_end = self.certificate_end();
        if let Some(hop) = self.hop() {
            hop.leaf = None;
            hop.chain_end = None;
            hop.url = String::new();
        }
    }

    /// Ends the running phase at `now`.
    fn close(&mut self, now: Instant) {
        let Some(since) = self.since.take() else {
            return;
        };
        let phase = self.phase;
        let Some(Hop {
            phases, proxy_us, ..
        }) = self.hop()
        else {
            return;
        };
        let slot = match phase {
            Phase::Dns => &mut phases.dns_us,
            Phase::Connect => &mut phases.connect_us,
            Phase::Proxy => proxy_us,
            Phase::Tls => &mut phases.tls_us,
            Phase::Wait => &mut phases.wait_us,
            Phase::Receive => &mut phases.receive_us,
        };
        let took = Some(micros(now.saturating_duration_since(since)));
        add(slot, took);
        add(&mut phases.total_us, took);
    }
}

/// Looks at what the running check has observed, or changes it.
pub(crate) fn with<T>(look: impl FnOnce(&mut Observed) -> T) -> T {
    OBSERVED.with_borrow_mut(look)
}

/// A check begins.
pub(crate) fn begin(limit: Duration, wire_limit: u64) {
    with(|observed| *observed = Observed::new(Instant::now(), limit, wire_limit));
}

/// Its time starts now: what came before was reading the task.
pub(crate) fn start() {
    with(|observed| observed.started = Instant::now());
}

/// Another connection begins, whose longest line to send has so many bytes.
pub(crate) fn begin_hop(method: &Method, url: &str, longest_line: usize) {
    with(|observed| {
        let now = Instant::now();
        // What came between two connections counts to the one before, and what came before the
        // first counts to the first: the phases leave no gap.
        observed.close(now);
        observed.forget_the_last();
        let first = observed.hops.is_empty();
        // nearly always one: no room for more beforehand
        observed.hops.reserve_exact(1);
        observed.since = Some(if first { observed.started } else { now });
        observed.phase = Phase::Dns;
        observed.hops.push(Hop {
            method: method.clone(),
            url: url.to_owned(),
            ..Hop::default()
        });
        observed.connection_end = ConnectionEnd::Open;
        observed.hidden = false;
        observed.longest_line = longest_line;
    });
}

/// One phase ends and another begins.
pub(crate) fn enter(phase: Phase) {
    with(|observed| {
        let now = Instant::now();
        observed.close(now);
        observed.phase = phase;
        observed.since = Some(now);
    });
}

/// The last byte is there: what comes now is not measured.
pub(crate) fn stop() {
    with(|observed| {
        if observed.total_us.is_none() {
            let now = Instant::now();
            observed.close(now);
            observed.total_us = Some(micros(now.saturating_duration_since(observed.started)));
        }
    });
}

/// What the check has observed; it ends here unless it has ended before.
pub(crate) fn end() -> Observed {
    stop();
    with(|observed| {
        let rest = Observed {
            revealed: mem::take(&mut observed.revealed),
            ..Observed::new(observed.started, Duration::ZERO, 0)
        };
        mem::replace(observed, rest)
    })
}

/// The phase that is running, or ran last.
pub(crate) fn phase() -> Phase {
    with(|observed| observed.phase)
}

/// The time that is left; `None` when it is up.
pub(crate) fn left() -> Option<Duration> {
    with(|observed| {
        let left = observed.limit.saturating_sub(observed.started.elapsed());
        (!left.is_zero()).then_some(left)
    })
}

/// The time that the check had from the start, in milliseconds.
pub(crate) fn limit_ms() -> u128 {
    with(|observed| observed.limit.as_millis())
}

/// Adds a part to a sum, if there is one.
fn add(sum: &mut Option<u64>, part: Option<u64>) {
    if let Some(part) = part {
        *sum = Some(sum.unwrap_or(0) + part);
    }
}

/// Whole microseconds.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
