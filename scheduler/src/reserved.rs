//! Reserved: the room of one task in a standalone's embedded broker.

use runtime::backlog::Backlog;

/// Bytes of a standalone's backlog that are given back unless their task is on its way, however its turn ends.
pub(crate) struct Reserved<'b> {
    /// The backlog, if there is one.
    backlog: Option<&'b Backlog>,
    /// How many.
    bytes: usize,
}

impl<'b> Reserved<'b> {
    /// Waits until there is room for so many bytes.
    pub(crate) async fn wait(backlog: Option<&'b Backlog>, bytes: usize) -> Self {
        if let Some(backlog) = backlog {
            backlog.reserve(bytes).await;
        }
        Self { backlog, bytes }
    }

    /// The task is on its way.
    pub(crate) fn keep(mut self) {
        self.backlog = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(backlog) = self.backlog {
            backlog.release(self.bytes);
        }
    }
}
