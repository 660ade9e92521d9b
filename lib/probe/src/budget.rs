//! Memory that all checks of a process share: each takes what it needs, and gives it back when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that all lanes share: for bodies that are kept, or for long options.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Bytes that are not taken.
    left: AtomicU64,
    /// What is said to a check that finds too little.
    spent: &'static str,
}

/// What one check took out of the budget; it goes back when the check has been judged.
#[derive(Debug)]
pub(crate) struct Share {
    /// Where it came from.
    budget: Arc<Budget>,
    /// How much it is, in bytes.
    bytes: u64,
}

impl Budget {
    /// A budget of so many bytes; `spent` is said to a check that finds too little.
    pub(crate) fn new(bytes: u64, spent: &'static str) -> Self {
        Self {
            left: AtomicU64::new(bytes),
            spent,
        }
    }

    /// How many bytes are not taken.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// A share with nothing in it yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Share {
    /// Takes so many bytes more; the error says what finds too little.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), &'static str> {
        let less = |left: u64| left.checked_sub(bytes);
        let left = &self.budget.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map_err(|_| self.budget.spent)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives so many bytes back, of those that were taken.
    pub(crate) fn give(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
