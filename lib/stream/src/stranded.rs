//! A client that has lost all its brokers for good, and how that is noticed.
//!
//! A broker that was out of touch for a while may answer before the cluster counts it in again: asked
//! about a topic, it names the topic and not one broker. librdkafka (from 2.10 on, 2.13 included) takes
//! that at its word, drops every broker it knows, the configured ones too, and has no broker left to ask:
//! <https://github.com/confluentinc/librdkafka/issues/5301>. Nothing helps but a new client.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

/// How often librdkafka tells which brokers it knows: `statistics.interval.ms`.
pub(crate) const STATISTICS_INTERVAL_MS: &str = "2000";
/// After so many looks in a row without any broker it will not find one again.
const LOOKS: u32 = 2;

/// Whether a client has lost all its brokers. Its context hands `stats_raw` to it.
#[derive(Debug, Default)]
pub(crate) struct Stranded(AtomicU32);

/// The part of librdkafka's statistics that matters here.
#[derive(Deserialize)]
struct Statistics {
    /// By name.
    brokers: BTreeMap<String, Broker>,
}

/// What librdkafka knows of a broker.
#[derive(Deserialize)]
struct Broker {
    /// `configured`, `learned`, or what is no address of its own: `logical` and `internal`.
    source: String,
}

impl Stranded {
    /// Takes in statistics, as JSON.
    pub(crate) fn look(&self, statistics: &[u8]) {
        let Ok(Statistics { brokers }) = serde_json::from_slice(statistics) else {
            return;
        };
        let has_address = |broker: &Broker| ["configured", "learned"].contains(&&*broker.source);
        if brokers.values().any(has_address) {
            self.0.store(0, Ordering::Relaxed);
        } else {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether it has; it wants to be replaced then.
    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As librdkafka writes it, shortened.
    const LOST: &[u8] = br#"{"name": "webmon-checker#consumer-1", "ts": 5, "brokers": {
        "GroupCoordinator": {"name": "GroupCoordinator", "nodeid": -1, "source": "logical", "state": "DOWN"}}}"#;
    const KNOWN: &[u8] = br#"{"brokers": {
        "GroupCoordinator": {"source": "logical"}, "a:9092/1": {"source": "learned", "state": "DOWN"}}}"#;

    #[test]
    fn a_client_that_knows_no_address_twice_in_a_row_is_stranded() {
        let stranded = Stranded::default();
        for (statistics, is_so) in [
            (LOST, false),
            (KNOWN, false),
            (LOST, false),
            (LOST, true),
            (LOST, true),
            (KNOWN, false),
        ] {
            stranded.look(statistics);
            assert_eq!(stranded.is_so(), is_so);
        }
    }

    #[test]
    fn statistics_that_nobody_understands_say_nothing() {
        let stranded = Stranded::default();
        for _ in 0..9 {
            stranded.look(b"{}");
        }
        assert!(!stranded.is_so());
    }
}
