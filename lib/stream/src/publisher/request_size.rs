//! How much a request to Kafka may carry.
//!
//! A topic takes a request, compressed, up to its `max.message.bytes`, or none of the messages in it. So no request
//! with several messages may be larger: then a refusal means one message, which was alone in its request. What the
//! broker tells of the topic decides; from a broker that does not tell, it is learned by refusals.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What librdkafka puts into one request by default: less than topics take by default.
const DEFAULT_BYTES: usize = 1_000_000;

/// What is known, shared by all publishers of a topic.
#[derive(Clone, Debug)]
pub struct RequestSize(Arc<Known>);

/// What is known.
#[derive(Debug)]
struct Known {
    /// `max.message.bytes` of the topic; zero while it is not known.
    limit: AtomicUsize,
    /// The most bytes of several messages in a request.
    batch: AtomicUsize,
}

impl RequestSize {
    /// What topics take by default.
    pub fn new() -> Self {
        Self(Arc::new(Known {
            limit: AtomicUsize::new(0),
            batch: AtomicUsize::new(DEFAULT_BYTES),
        }))
    }

    /// The broker has told the topic's limit. Of a small one a quarter is left for what Kafka adds.
    pub fn learn(&self, limit: Option<usize>) {
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

    /// A request of a producer that goes by `batch` was refused though each of its messages fits into that.
    pub fn shrink(&self, batch: usize) {
        self.0
            .batch
            .fetch_min((batch / 4).max(1), Ordering::Relaxed);
    }

    /// `max.message.bytes` of the topic, if it is known.
    pub fn limit(&self) -> Option<usize> {
        Some(self.0.limit.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    /// The most bytes of several messages in a request: `batch.size` of a producer.
    pub fn batch(&self) -> usize {
        self.0.batch.load(Ordering::Relaxed)
    }
}

impl Default for RequestSize {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fit_into_what_the_topic_takes() {
        let size = RequestSize::new();
        size.learn(Some(1_048_588));
        assert_eq!(size.batch(), DEFAULT_BYTES, "what topics take by default");
        size.learn(Some(8_192));
        assert_eq!(size.batch(), 6_144);
        assert_eq!(size.limit(), Some(8_192));
    }

    #[test]
    fn what_no_broker_tells_is_learned_by_refusals() {
        let size = RequestSize::new();
        for _ in 0..20 {
            size.learn(None);
            size.shrink(size.batch());
        }
        assert_eq!(size.batch(), 1);
        assert_eq!(size.limit(), None);
    }

    #[test]
    fn a_limit_that_is_told_again_does_not_undo_what_was_learned() {
        let size = RequestSize::new();
        size.learn(Some(100_000));
        size.shrink(size.batch());
        size.learn(Some(100_000));
        assert_eq!(size.batch(), 18_750);
        size.learn(Some(200_000));
        assert_eq!(size.batch(), 150_000);
    }
}
