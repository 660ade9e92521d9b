//! The sockets that probes may have open: some of what this process may open is kept for webmon's own
//! connections.
//!
//! A host with many addresses takes more than the share of one check, so each socket counts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use runtime::descriptors;

/// The sockets that probes may have open.
#[derive(Debug)]
pub(crate) struct SocketBudget {
    /// How many more.
    left: AtomicU64,
}

/// Sockets that may be open, until this is dropped.
#[derive(Debug)]
pub(crate) struct SocketPermit {
    /// Where they come from.
    budget: Arc<SocketBudget>,
    /// How many.
    count: u64,
}

impl SocketBudget {
    /// That of this process.
    pub(crate) fn of_process() -> Arc<Self> {
        Self::new(descriptors::limit().map_or(u64::MAX, descriptors::for_probes))
    }

    /// So many.
    pub(crate) fn new(count: u64) -> Arc<Self> {
        let left = AtomicU64::new(count);
        Arc::new(Self { left })
    }

    /// Takes so many, or fails as the system does when there are no more.
    pub(crate) fn take(self: &Arc<Self>, count: u64) -> io::Result<SocketPermit> {
        let less = |left: u64| left.checked_sub(count);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map_err(|_| io::Error::from_raw_os_error(libc::EMFILE))?;
        Ok(SocketPermit {
            budget: Arc::clone(self),
            count,
        })
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_come_back() {
        let sockets = SocketBudget::new(3);
        let two = sockets.take(2).unwrap();
        let error = sockets.take(2).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        drop(two);
        assert!(sockets.take(3).is_ok());
    }
}
