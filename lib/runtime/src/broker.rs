//! The broker that a service works with: a cluster of Kafka, or the one that is embedded in a standalone.
//!
//! The embedded broker keeps a few MiB of each partition and drops the oldest tasks without a word.
//! So the scheduler reserves the bytes of a task before it sends it, waits while there is no room,
//! and intake gives them back when it has read the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The broker of a service.
#[derive(Clone, Debug)]
pub enum Broker {
    /// Kafka, which other checkers and schedulers may use as well.
    Cluster,
    /// The broker in this process, which holds so much: one scheduler and one checker use it.
    Embedded(Arc<BrokerMemory>),
}

impl Broker {
    /// Whether it is the one in this process.
    pub const fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// What the embedded broker holds.
    pub fn memory(&self) -> Option<&BrokerMemory> {
        match self {
            Self::Cluster => None,
            Self::Embedded(memory) => Some(memory),
        }
    }
}

/// What a message takes beside its payload, at most: its key, the header that shows who wrote it, their lengths.
const OVERHEAD: usize = 128;

/// The bytes that a task of so many bytes takes of the bound: the same when it is sent, read, or given up.
pub const fn weight(payload_bytes: usize) -> usize {
    payload_bytes + OVERHEAD
}

/// The memory of an embedded broker: bytes sent and not read yet, against a bound.
#[derive(Debug)]
pub struct BrokerMemory {
    /// The most bytes.
    limit: usize,
    /// Bytes sent and not read yet.
    bytes: AtomicUsize,
    /// Told whenever bytes were given back.
    released: Notify,
}

impl BrokerMemory {
    /// A broker that holds nothing, and at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: AtomicUsize::new(0),
            released: Notify::new(),
        }
    }

    /// Waits until `bytes` more fit. A single task larger than the bound goes alone.
    pub async fn reserve(&self, bytes: usize) {
        loop {
            let released = self.released.notified();
            let reserved = self
                .bytes
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                    let total = held.saturating_add(bytes);
                    (held == 0 || total <= self.limit).then_some(total)
                });
            if reserved.is_ok() {
                return;
            }
            released.await;
        }
    }

    /// Gives back `bytes`: the task was read, or never arrived.
    pub fn release(&self, bytes: usize) {
        // A task may be read twice; what is given back twice must not wrap around.
        let mut held = self.bytes();
        while let Err(now) = self.bytes.compare_exchange_weak(
            held,
            held.saturating_sub(bytes),
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            held = now;
        }
        self.released.notify_waiters();
    }

    /// Bytes sent and not read yet.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn no_more_is_reserved_than_fits() {
        let memory = Arc::new(BrokerMemory::new(100));
        memory.reserve(60).await;
        let mut waiting = Box::pin(memory.reserve(50));
        assert!(matches!(
            std::future::poll_fn(|c| Poll::Ready(waiting.as_mut().poll(c))).await,
            Poll::Pending
        ));
        memory.release(10);
        waiting.await;
        assert_eq!(memory.bytes(), 100);
    }

    #[tokio::test]
    async fn a_task_larger_than_the_bound_goes_alone() {
        let memory = BrokerMemory::new(10);
        memory.reserve(50).await;
        memory.release(60);
        assert_eq!(memory.bytes(), 0);
    }
}
