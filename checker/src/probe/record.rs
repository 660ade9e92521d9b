//! What the running check has seen so far.
//!
//! The HTTP library's traits carry no context from call to call, so the record lives with the thread:
//! resolver, dialler, TLS and transport of a check all run on the thread that called it.

use std::cell::RefCell;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use contract::result::Phases;

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

/// What the running check has seen so far.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// When it began.
    started: Instant,
    /// The time it has.
    limit: Duration,
    /// The phase that is running, or ran last.
    phase: Phase,
    /// When it began, while it is running.
    since: Option<Instant>,
    /// The phases that ended.
    pub(super) phases: Phases,
    /// The connection being followed, from 1.
    pub(super) hop: usize,
    /// The address that was dialled last.
    pub(super) address: Option<IpAddr>,
    /// Whether that address is a public one.
    pub(super) public: bool,
    /// Bytes that may still come over the wire.
    pub(super) wire_left: u64,
    /// Whether this hop's connection came to its end, whatever that was.
    pub(super) ended: bool,
    /// Whether that was a reset.
    pub(super) reset: bool,
    /// The longest line that is sent, in bytes.
    pub(super) longest_line: usize,
    /// The status of this hop's response, once its head is complete.
    pub(super) status: Option<u16>,
    /// Decoded bytes of the body that were read.
    pub(super) body_bytes: Option<u64>,
}

thread_local! {
    /// The record of this thread's check.
    static RECORD: RefCell<Record> = RefCell::new(Record::new(Duration::ZERO, 0));
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
    /// A check that begins now, may take `limit` and read `wire_left` bytes.
    fn new(limit: Duration, wire_left: u64) -> Self {
        Self {
            started: Instant::now(),
            limit,
            phase: Phase::Dns,
            since: None,
            phases: Phases::default(),
            hop: 0,
            address: None,
            public: false,
            wire_left,
            ended: false,
            reset: false,
            longest_line: 0,
            status: None,
            body_bytes: None,
        }
    }

    /// Ends the running phase at `now`.
    fn close(&mut self, now: Instant) {
        let Some(since) = self.since.take() else {
            return;
        };
        let slot = match self.phase {
            Phase::Dns => &mut self.phases.dns_us,
            Phase::Connect => &mut self.phases.connect_us,
            Phase::Tls => &mut self.phases.tls_us,
            Phase::Wait => &mut self.phases.wait_us,
            Phase::Receive => &mut self.phases.receive_us,
        };
        *slot = Some(slot.unwrap_or(0) + micros(now.saturating_duration_since(since)));
    }
}

/// Looks at the record, or changes it.
pub(super) fn with<T>(look: impl FnOnce(&mut Record) -> T) -> T {
    RECORD.with_borrow_mut(look)
}

/// A check begins.
pub(super) fn begin(limit: Duration, wire_limit: u64) {
    with(|record| *record = Record::new(limit, wire_limit));
}

/// Another connection begins, whose longest line to send has so many bytes.
pub(super) fn begin_hop(longest_line: usize) {
    with(|record| {
        record.hop += 1;
        record.ended = false;
        record.reset = false;
        record.status = None;
        record.longest_line = longest_line;
    });
    enter(Phase::Dns);
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
        let now = Instant::now();
        record.close(now);
        let total = micros(now.saturating_duration_since(record.started));
        record.phases.total_us.get_or_insert(total);
    });
}

/// What the check saw, which ends here unless it has ended before.
pub(super) fn end() -> Record {
    stop();
    with(|record| record.clone())
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

/// Whole microseconds.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
