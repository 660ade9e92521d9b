//! Room: how much a request to Kafka may carry.
//!
//! A topic takes a request, compressed, up to its `max.message.bytes`, or none of the tasks in it. So no request with
//! several tasks may be larger: then a refusal means one task, which was alone in its request. What the broker tells
//! of the topic decides; from a broker that does not tell, it is learned by refusals.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What librdkafka puts into one request by default: less than topics take by default.
const DEFAULT_BYTES: usize = 1_000_000;

/// What is known, shared by all producers of a scheduler.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Known>);

/// What is known.
#[derive(Debug)]
struct Known {
    /// `max.message.bytes` of the topic; zero while it is not known.
    limit: AtomicUsize,
    /// The most bytes of several tasks in a request.
    batch: AtomicUsize,
}

impl Room {
    /// What there is by default.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Known {
            limit: AtomicUsize::new(0),
            batch: AtomicUsize::new(DEFAULT_BYTES),
        }))
    }

    /// The broker has told the topic's limit. Of a small one a quarter is left for what Kafka adds.
    pub(crate) fn learn(&self, limit: Option<usize>) {
        let limit = limit.unwrap_or(0);
        if self.0.limit.swap(limit, Ordering::Relaxed) != limit && limit > 0 {
            let batch = if limit > DEFAULT_BYTES {
                DEFAULT_BYTES
            } else {
                (limit / 4 * 3).max(1)
            };
            self.0.batch.store(batch, Ordering::Relaxed);
        }
    }

    /// A request of a producer that goes by `batch` was refused though each of its tasks fits into that.
    pub(crate) fn shrink(&self, batch: usize) {
        self.0
            .batch
            .fetch_min((batch / 4).max(1), Ordering::Relaxed);
    }

    /// `max.message.bytes` of the topic, if it is known.
    pub(crate) fn limit(&self) -> Option<usize> {
        Some(self.0.limit.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    /// The most bytes of several tasks in a request: `batch.size` of a producer.
    pub(crate) fn batch(&self) -> usize {
        self.0.batch.load(Ordering::Relaxed)
    }

    /// Why a task of so many bytes is not sent, and what would help.
    pub(crate) fn refusal(&self, bytes: usize, topic: &str) -> String {
        let limit = self.limit().map_or_else(
            || "its max.message.bytes".to_owned(),
            |limit| format!("its max.message.bytes is {limit}"),
        );
        format!(
            "{bytes} bytes are more than topic {topic} takes ({limit}): \
             make the request smaller, or raise max.message.bytes of the topic"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fit_into_what_the_topic_takes() {
        let room = Room::new();
        room.learn(Some(1_048_588));
        assert_eq!(room.batch(), DEFAULT_BYTES, "what topics take by default");
        room.learn(Some(8_192));
        assert_eq!(room.batch(), 6_144);
        assert_eq!(
            room.refusal(20_000, "tasks"),
            "20000 bytes are more than topic tasks takes (its max.message.bytes is 8192): \
             make the request smaller, or raise max.message.bytes of the topic"
        );
    }

    #[test]
    fn what_no_broker_tells_is_learned_by_refusals() {
        let room = Room::new();
        for _ in 0..20 {
            room.learn(None);
            room.shrink(room.batch());
        }
        assert_eq!(room.batch(), 1);
        assert!(
            room.refusal(20_000, "tasks")
                .contains("takes (its max.message.bytes): ")
        );
    }

    #[test]
    fn a_limit_that_is_told_again_does_not_undo_what_was_learned() {
        let room = Room::new();
        room.learn(Some(100_000));
        room.shrink(room.batch());
        room.learn(Some(100_000));
        assert_eq!(room.batch(), 18_750);
        room.learn(Some(200_000));
        assert_eq!(room.batch(), 150_000);
    }
}
