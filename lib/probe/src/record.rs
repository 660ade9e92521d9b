//! What the running check has seen so far.
//!
//! The HTTP library's traits carry no context from call to call, so the record lives with the thread:
//! resolver, dialler, TLS and transport of a check all run on the thread that called it.

use std::cell::RefCell;
use std::mem;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use contract::result::Phases;
use contract::site::request::Family;
use ureq::http::Method;

use super::body::Share;
use super::redact::Revealed;
use super::tls::certificate::{self, TlsSeen};
use super::tls::clients::Handshake;

/// What a check is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Looking up the name.
    Dns,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Connected, no byte of the response yet.
    Wait,
    /// From the first byte of the response.
    Receive,
}

/// A connection, as far as the library needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// More may come.
    Open,
    /// The response is complete, or there will be none.
    Done,
}

/// How a connection ended, as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has not.
    Open,
    /// In whatever way but a reset.
    Closed,
    /// By a reset.
    Reset,
}

/// What the running check has seen so far.
#[derive(Debug)]
pub(super) struct Record {
    /// When it began.
    started: Instant,
    /// The time it has.
    limit: Duration,
    /// The phase that is running, or ran last.
    phase: Phase,
    /// When it began, while it is running.
    since: Option<Instant>,
    /// The time from the start to the end, once it has ended, in microseconds.
    pub(super) total_us: Option<u64>,
    /// Which addresses are asked.
    pub(super) family: Family,
    /// Whether all is kept that is seen of each connection, to be shown.
    pub(super) watched: bool,
    /// The connections up to now, the current one last.
    pub(super) hops: Vec<Hop>,
    /// When the first of the certificates ends that are not kept any more, in seconds since the Unix epoch.
    pub(super) past_end_s: Option<i64>,
    /// What the check took for long options and certificates.
    pub(super) options: Option<Share>,
    /// Whether the address that was dialled last is a public one.
    pub(super) public: bool,
    /// Bytes that may still come over the wire.
    pub(super) wire_left: u64,
    /// Whether more is to come over this hop's connection.
    pub(super) line: Line,
    /// Whether this hop's connection came to its end.
    pub(super) end: End,
    /// The longest line that is sent, in bytes.
    pub(super) longest_line: usize,
    /// How TLS is spoken on this hop, if not as with any site.
    pub(super) handshake: Option<Handshake>,
    /// Decoded bytes of the body that were read.
    pub(super) body_bytes: Option<u64>,
    /// What nobody may see of what was sent; kept until the next check begins.
    pub(super) revealed: Revealed,
    /// Why a later server did not get what the first got, if it might have.
    pub(super) withheld: Option<Box<str>>,
}

/// One connection of a check: the first, or one that a redirect asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The method that was used.
    pub method: Method,
    /// What was asked for, normalised.
    pub url: String,
    /// The address that was dialled.
    pub address: Option<IpAddr>,
    /// The status of the response, once its head was complete.
    pub status: Option<u16>,
    /// The phases of this connection; `total_us` is their sum.
    pub phases: Phases,
    /// What was seen of TLS, if it was begun.
    pub tls: Option<TlsSeen>,
    /// The server's certificate as it came, in DER.
    pub(crate) leaf: Option<Vec<u8>>,
}

thread_local! {
    /// The record of this thread's check.
    static RECORD: RefCell<Record> = RefCell::new(Record::new(Instant::now(), Duration::ZERO, 0));
}

impl Phase {
    /// The name, as details begin with it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Wait => "wait",
            Self::Receive => "receive",
        }
    }
}

impl Record {
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
            past_end_s: None,
            options: None,
            public: false,
            wire_left,
            line: Line::Done,
            end: End::Open,
            longest_line: 0,
            handshake: None,
            body_bytes: None,
            revealed: Revealed::default(),
            withheld: None,
        }
    }

    /// The current connection, if one has begun.
    pub(super) fn hop(&mut self) -> Option<&mut Hop> {
        self.hops.last_mut()
    }

    /// The status of the current connection's response.
    pub(super) fn status(&self) -> Option<u16> {
        self.hops.last()?.status
    }

    /// The phases of all connections; a check that asked nothing measured nothing.
    pub(super) fn phases(&self) -> Phases {
        let mut sum = Phases::default();
        for Hop { phases, .. } in &self.hops {
            for (total, part) in [
                (&mut sum.dns_us, phases.dns_us),
                (&mut sum.connect_us, phases.connect_us),
                (&mut sum.tls_us, phases.tls_us),
                (&mut sum.wait_us, phases.wait_us),
                (&mut sum.receive_us, phases.receive_us),
            ] {
                add(total, part);
            }
            sum.total_us = self.total_us;
        }
        sum
    }

    /// When the first of the certificates on the way ends, in seconds since the Unix epoch.
    pub(super) fn certificate_end_s(&self) -> Option<i64> {
        let leaves = self.hops.iter().filter_map(|hop| hop.leaf.as_deref());
        let ends = leaves
            .filter_map(certificate::validity_s)
            .map(|(_, end)| end);
        ends.chain(self.past_end_s).min()
    }

    /// Another connection is about to begin. Of the one before it only what counts is kept, or a server would
    /// fill the memory by redirects.
    fn forget_the_last(&mut self) {
        if self.watched || self.hops.is_empty() {
            return;
        }
        self.past_end_s = self.certificate_end_s();
        if let Some(hop) = self.hop() {
            hop.leaf = None;
            hop.url = String::new();
        }
    }

    /// Ends the running phase at `now`.
    fn close(&mut self, now: Instant) {
        let Some(since) = self.since.take() else {
            return;
        };
        let phase = self.phase;
        let Some(Hop { phases, .. }) = self.hop() else {
            return;
        };
        let slot = match phase {
            Phase::Dns => &mut phases.dns_us,
            Phase::Connect => &mut phases.connect_us,
            Phase::Tls => &mut phases.tls_us,
            Phase::Wait => &mut phases.wait_us,
            Phase::Receive => &mut phases.receive_us,
        };
        let took = Some(micros(now.saturating_duration_since(since)));
        add(slot, took);
        add(&mut phases.total_us, took);
    }
}

/// Looks at the record, or changes it.
pub(super) fn with<T>(look: impl FnOnce(&mut Record) -> T) -> T {
    RECORD.with_borrow_mut(look)
}

/// A check begins.
pub(super) fn begin(limit: Duration, wire_limit: u64) {
    with(|record| *record = Record::new(Instant::now(), limit, wire_limit));
}

/// Its time starts now: what came before was reading the task.
pub(super) fn start() {
    with(|record| record.started = Instant::now());
}

/// Another connection begins, whose longest line to send has so many bytes.
pub(super) fn begin_hop(method: &Method, url: &str, longest_line: usize) {
    with(|record| {
        let now = Instant::now();
        // What came between two connections counts to the one before, and what came before the
        // first counts to the first: the phases leave no gap.
        record.close(now);
        record.forget_the_last();
        let first = record.hops.is_empty();
        // nearly always one: no room for more beforehand
        record.hops.reserve_exact(1);
        record.since = Some(if first { record.started } else { now });
        record.phase = Phase::Dns;
        record.hops.push(Hop {
            method: method.clone(),
            url: url.to_owned(),
            ..Hop::default()
        });
        record.end = End::Open;
        record.longest_line = longest_line;
    });
}

/// One phase ends and another begins.
pub(super) fn enter(phase: Phase) {
    with(|record| {
        let now = Instant::now();
        record.close(now);
        record.phase = phase;
        record.since = Some(now);
    });
}

/// The last byte is there: what comes now is not measured.
pub(super) fn stop() {
    with(|record| {
        if record.total_us.is_none() {
            let now = Instant::now();
            record.close(now);
            record.total_us = Some(micros(now.saturating_duration_since(record.started)));
        }
    });
}

/// What the check saw, which ends here unless it has ended before.
pub(super) fn end() -> Record {
    stop();
    with(|record| {
        let rest = Record {
            revealed: mem::take(&mut record.revealed),
            ..Record::new(record.started, Duration::ZERO, 0)
        };
        mem::replace(record, rest)
    })
}

/// The phase that is running, or ran last.
pub(super) fn phase() -> Phase {
    with(|record| record.phase)
}

/// The time that is left; `None` when it is up.
pub(super) fn left() -> Option<Duration> {
    with(|record| {
        let left = record.limit.saturating_sub(record.started.elapsed());
        (!left.is_zero()).then_some(left)
    })
}

/// The time that the check had from the start, in milliseconds.
pub(super) fn limit_ms() -> u128 {
    with(|record| record.limit.as_millis())
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
