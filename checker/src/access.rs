//! Access: what Kafka's authorizer refuses to the consumer, so that it is told and noticed when that is over.
//!
//! librdkafka says of a topic that it may not read it once, and goes on trying in silence; it does not say when it
//! may. So another consumer takes the place of one that was refused, again and again: what it says, or does not
//! say for a while, is how things stand.

use std::time::{Duration, Instant};

use runtime::telemetry::Condition;
use tracing::{info, warn};

/// A consumer that was refused so long ago is replaced.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// A consumer that has had partitions for so long would have been refused by now.
const SILENCE: Duration = Duration::from_secs(5);

/// What is known of the consumer's rights.
pub(crate) struct Access {
    /// Whether Kafka lets it read, for people.
    condition: Condition,
    /// What lacks, and when this consumer was told so; another one has not been told yet.
    lack: Option<(String, Option<Instant>)>,
    /// When this consumer was given partitions.
    given_at: Option<Instant>,
}

impl Access {
    /// Nothing lacks as far as is known.
    pub(crate) const fn new(condition: Condition) -> Self {
        Self {
            condition,
            lack: None,
            given_at: None,
        }
    }

    /// Kafka refuses something; said if that is new.
    pub(crate) fn refused(&mut self, lack: String, now: Instant) {
        let known = self.lack.as_ref().is_some_and(|(known, _)| *known == lack);
        if !known {
            warn!("Kafka refuses: {lack}");
            self.condition.lacks(lack.clone());
        }
        self.lack = Some((lack, Some(now)));
    }

    /// A task was read.
    pub(crate) fn read(&mut self) {
        if self.lack.is_some() {
            self.granted();
        }
    }

    /// The consumer was given partitions.
    pub(crate) fn given(&mut self, now: Instant) {
        self.given_at = Some(now);
    }

    /// Another consumer takes the place of this one.
    pub(crate) fn start_over(&mut self) {
        self.given_at = None;
        if let Some((_, told)) = &mut self.lack {
            *told = None;
        }
    }

    /// Whether another consumer should ask again. Notices by the way that this one is not refused any more.
    pub(crate) fn asks_again(&mut self, now: Instant) -> bool {
        let Some((_, told)) = &self.lack else {
            return false;
        };
        if let Some(told) = told {
            return now.saturating_duration_since(*told) >= ASK_AGAIN;
        }
        let silent = |at: Instant| now.saturating_duration_since(at) >= SILENCE;
        if self.given_at.is_some_and(silent) {
            self.granted();
        }
        false
    }

    /// Nothing lacks any more.
    fn granted(&mut self) {
        self.lack = None;
        self.condition.set(true);
        info!("Kafka lets tasks be read again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A consumer that was refused at the start.
    fn refused() -> (Access, Condition, Instant) {
        let condition = Condition::default();
        condition.set(true);
        let (mut access, start) = (Access::new(condition.clone()), Instant::now());
        access.refused("no right".to_owned(), start);
        (access, condition, start)
    }

    #[test]
    fn a_task_that_is_read_shows_that_nothing_lacks() {
        let (mut access, condition, start) = refused();
        assert!(!condition.holds());
        access.read();
        assert!(condition.holds());
        assert!(!access.asks_again(start + ASK_AGAIN));
    }

    #[test]
    fn another_consumer_asks_again_and_its_silence_is_consent() {
        let (mut access, condition, start) = refused();
        assert!(!access.asks_again(start));
        let mut now = start + ASK_AGAIN;
        assert!(access.asks_again(now));
        access.start_over();
        assert!(!access.asks_again(now + ASK_AGAIN), "it has no partitions");
        access.given(now);
        access.refused("no right".to_owned(), now);
        now += ASK_AGAIN;
        assert!(access.asks_again(now), "it was told the same");
        access.start_over();
        access.given(now);
        assert!(!access.asks_again(now + SILENCE / 2));
        assert!(!condition.holds());
        assert!(!access.asks_again(now + SILENCE));
        assert!(condition.holds());
    }
}
