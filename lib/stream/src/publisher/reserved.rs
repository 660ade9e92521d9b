//! The room of one message in the embedded broker.

use runtime::broker::{Broker, BrokerMemory};

/// Bytes of the embedded broker that are given back unless their message is on its way, however its batch ends.
pub(super) struct Reserved<'b> {
    /// The embedded broker's memory; none where the broker is a cluster.
    memory: Option<&'b BrokerMemory>,
    /// How many.
    bytes: usize,
}

impl<'b> Reserved<'b> {
    /// Waits until there is room for so many bytes.
    pub(super) async fn wait(broker: &'b Broker, bytes: usize) -> Self {
        let memory = broker.memory();
        if let Some(memory) = memory {
            memory.reserve(bytes).await;
        }
        Self { memory, bytes }
    }

    /// The message is on its way.
    pub(super) fn keep(mut self) {
        self.memory = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory {
            memory.release(self.bytes);
        }
    }
}
