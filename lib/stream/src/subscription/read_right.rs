//! The right to read: what Kafka's authorizer refuses to the consumer, and when that is over.
//!
//! librdkafka says once that it may not read a topic, and goes on trying in silence; it does not say when it
//! may. So another consumer takes the place of one that was refused, again and again. If Kafka refuses that one
//! too, it says so soon after it has partitions; if it says nothing for a while, the right is there.

use std::time::{Duration, Instant};

use runtime::telemetry::Condition;
use tracing::{info, warn};

/// A consumer that was refused so long ago is replaced.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// A consumer that has had partitions for so long would have been refused by now.
const SILENCE: Duration = Duration::from_secs(5);

/// Whether Kafka lets the consumer read.
pub(super) struct ReadRight {
    /// What people are told of it.
    condition: Condition,
    /// What the messages are called in the log.
    messages: &'static str,
    /// What lacks, and when this consumer was told so; another one has not been told yet.
    lack: Option<(String, Option<Instant>)>,
    /// When partitions were assigned to this consumer.
    assigned_at: Option<Instant>,
}

impl ReadRight {
    /// Nothing lacks as far as is known.
    pub(super) const fn new(condition: Condition, messages: &'static str) -> Self {
        Self {
            condition,
            messages,
            lack: None,
            assigned_at: None,
        }
    }

    /// Kafka refuses something; said if that is new.
    pub(super) fn refused(&mut self, lack: String, now: Instant) {
        let known = self.lack.as_ref().is_some_and(|(known, _)| *known == lack);
        if !known {
            warn!("Kafka refuses: {lack}");
            self.condition.lacks(lack.clone());
        }
        self.lack = Some((lack, Some(now)));
    }

    /// A message was read.
    pub(super) fn read(&mut self) {
        if self.lack.is_some() {
            self.granted();
        }
    }

    /// Partitions were assigned to the consumer.
    pub(super) fn assigned(&mut self, now: Instant) {
        self.assigned_at = Some(now);
    }

    /// Another consumer takes the place of this one.
    pub(super) fn start_over(&mut self) {
        self.assigned_at = None;
        if let Some((_, told)) = &mut self.lack {
            *told = None;
        }
    }

    /// Whether another consumer should ask again. Notices by the way that this one is not refused any more.
    pub(super) fn asks_again(&mut self, now: Instant) -> bool {
        let Some((_, told)) = &self.lack else {
            return false;
        };
        if let Some(told) = told {
            return now.saturating_duration_since(*told) >= ASK_AGAIN;
        }
        let silent = |at: Instant| now.saturating_duration_since(at) >= SILENCE;
        if self.assigned_at.is_some_and(silent) {
            self.granted();
        }
        false
    }

    /// Nothing lacks any more.
    fn granted(&mut self) {
        self.lack = None;
        self.condition.set(true);
        info!("Kafka lets {} be read again", self.messages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A consumer that was refused at the start.
    fn refused() -> (ReadRight, Condition, Instant) {
        let condition = Condition::default();
        condition.set(true);
        let (mut right, start) = (ReadRight::new(condition.clone(), "tasks"), Instant::now());
        right.refused("no right".to_owned(), start);
        (right, condition, start)
    }

    #[test]
    fn a_task_that_is_read_shows_that_nothing_lacks() {
        let (mut right, condition, start) = refused();
        assert!(!condition.holds());
        right.read();
        assert!(condition.holds());
        assert!(!right.asks_again(start + ASK_AGAIN));
    }

    #[test]
    fn another_consumer_asks_again_and_its_silence_is_consent() {
        let (mut right, condition, start) = refused();
        assert!(!right.asks_again(start));
        let mut now = start + ASK_AGAIN;
        assert!(right.asks_again(now));
        right.start_over();
        assert!(!right.asks_again(now + ASK_AGAIN), "it has no partitions");
        right.assigned(now);
        right.refused("no right".to_owned(), now);
        now += ASK_AGAIN;
        assert!(right.asks_again(now), "it was told the same");
        right.start_over();
        right.assigned(now);
        assert!(!right.asks_again(now + SILENCE / 2));
        assert!(!condition.holds());
        assert!(!right.asks_again(now + SILENCE));
        assert!(condition.holds());
    }
}
