//! Reserved: the room of one task in a standalone's embedded broker.

use runtime::broker::{Broker, BrokerMemory};

/// Bytes of the embedded broker that are given back unless their task is on its way, however its turn ends.
pub(crate) struct Reserved<'b> {
    /// The embedded broker's memory; none where the broker is a cluster.
    memory: Option<&'b BrokerMemory>,
    /// How many.
    bytes: usize,
}

impl<'b> Reserved<'b> {
    /// Waits until there is room for so many bytes.
    pub(crate) async fn wait(broker: &'b Broker, bytes: usize) -> Self {
        let memory = broker.memory();
        if let Some(memory) = memory {
            memory.reserve(bytes).await;
        }
        Self { memory, bytes }
    }

    /// The task is on its way.
    pub(crate) fn keep(mut self) {
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
