//! What librdkafka has to say, in this program's log: a failing broker once, not once per attempt.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use runtime::quota::Quota;

/// How many different failures are remembered between two recoveries; more would be a bug elsewhere.
const MAX_REMEMBERED: usize = 256;

/// Logs for one client. Contexts of producers and consumers hand their `log` and `error` here.
///
/// Each failure is logged once until [`recovered`](Self::recovered) is called, and a few a minute at
/// most: one of several brokers may be away while the others answer.
#[derive(Debug)]
pub(crate) struct BrokerLog {
    /// Which client this is, for the log.
    client: &'static str,
    /// Whether something failed since the last recovery.
    failing: AtomicBool,
    /// What was said.
    said: Mutex<Said>,
}

/// What a client's log has said.
#[derive(Debug)]
struct Said {
    /// The failures since the last recovery.
    failures: BTreeSet<String>,
    /// How much may be said.
    quota: Quota,
}

impl BrokerLog {
    /// A log for the client that people know as `client`: `producer`, `consumer`.
    pub(crate) const fn new(client: &'static str) -> Self {
        Self {
            client,
            failing: AtomicBool::new(false),
            said: Mutex::new(Said {
                failures: BTreeSet::new(),
                quota: Quota::new(),
            }),
        }
    }

    /// Call this whenever Kafka did what was asked; logs once if it had failed before. Costs next to
    /// nothing otherwise.
    pub(crate) fn recovered(&self) {
        if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            self.said
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .failures
                .clear();
            tracing::info!(kafka.client = self.client, "Kafka answers again");
        }
    }

    /// Something failed; returns whether it was logged, which is when it is new.
    fn failed(&self, text: &str) -> bool {
        let text = plain(text);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let Said { failures, quota } = &mut *said;
        if failures.len() == MAX_REMEMBERED || failures.contains(&text) {
            return false;
        }
        let new = quota.say(|left_out| {
            tracing::warn!(kafka.client = self.client, left_out, "Kafka: {text}");
        });
        // Only what was said to fail is said to have recovered, and what was left out may be said later.
        if new {
            failures.insert(text);
            self.failing.store(true, Ordering::Relaxed);
        }
        new
    }
}

impl ClientContext for BrokerLog {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => {
                self.failed(message);
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(kafka.client = self.client, "Kafka: {facility}: {message}");
            }
        }
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        self.failed(reason);
    }
}

/// A client whose failures are told by what it is asked: what librdkafka says of them is for `debug`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!("Kafka: {facility}: {message}");
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        tracing::debug!("Kafka: {reason}");
    }
}

impl ConsumerContext for Quiet {}

/// Where the part of a message begins that differs from one attempt to the next, or speaks of
/// librdkafka's own settings. (How a failed handshake is worded depends on which step notices it.)
const TAILS: [&str; 4] = [
    " (after ",
    ": broker certificate could not be verified",
    ": connecting to a PLAINTEXT broker listener",
    ": receive 0 after POLLIN",
];

/// How a message begins that ends with the offsets that were not committed.
const COMMIT: &str = "Offset commit";

/// A message without librdkafka's thread in front (`[thrd:…]: `) and without its tail or its list of offsets, so
/// that the same failure is the same text each time.
pub(crate) fn plain(message: &str) -> String {
    let message = match message
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
    {
        Some((_, rest)) => rest,
        None => message,
    };
    let tail = TAILS.iter().filter_map(|tail| message.find(tail)).min();
    let text = tail.and_then(|end| message.get(..end)).unwrap_or(message);
    let text = without_offsets(text).unwrap_or(text);
    text.replace("SSL handshake failed: ", "")
}

/// What a failed commit is about, if the message is of one: its list begins with the topic of a partition.
fn without_offsets(text: &str) -> Option<&str> {
    let (text, _) = text.strip_prefix(COMMIT).and(text.split_once('['))?;
    let (text, _topic) = text.rsplit_once(": ")?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_broker_is_said_once_until_it_recovers() {
        let log = BrokerLog::new("producer");
        let first = "[thrd:a:1/0]: a:1/0: Connection refused (after 0ms in state CONNECT)";
        let again = "a:1/0: Connection refused (after 7ms in state CONNECT, 3 identical error(s) suppressed)";
        assert!(log.failed(first));
        assert!(!log.failed(again));
        assert!(log.failed("b:1/1: Connection refused (after 0ms in state CONNECT)"));
        assert!(!log.failed(first));
        log.recovered();
        assert!(log.failed(again));
    }

    #[test]
    fn a_commit_that_fails_again_with_other_offsets_is_the_same_failure() {
        let text = |offset| {
            format!(
                "Offset commit (manual) failed for 1/1 partition(s) in join-state steady: Broker: Unknown member: \
                 tasks((null))[0]@{offset}(Broker: Unknown member)"
            )
        };
        let plain = plain(&text(7));
        assert!(
            plain.ends_with("in join-state steady: Broker: Unknown member"),
            "{plain}"
        );
        let log = BrokerLog::new("consumer");
        assert!(log.failed(&text(7)));
        assert!(!log.failed(&text(8)));
    }

    #[test]
    fn failures_without_end_take_no_memory_without_end() {
        let log = BrokerLog::new("producer");
        let said = (0..2 * MAX_REMEMBERED).filter(|n| log.failed(&n.to_string()));
        assert_eq!(said.count(), 10);
        assert_eq!(log.said.lock().unwrap().failures.len(), 10);
    }

    #[test]
    fn a_broker_that_comes_and_goes_does_not_fill_the_log() {
        let log = BrokerLog::new("producer");
        let mut said = 0;
        for _ in 0..1_000 {
            said += usize::from(log.failed("b:1/1: Connection refused"));
            log.recovered();
        }
        assert_eq!(said, 10);
    }
}
