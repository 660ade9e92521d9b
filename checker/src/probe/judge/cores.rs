//! One evaluation per core: patterns and JSON paths over a large body are all computing, and a thousand
//! lanes that compute at once would make every other check late.

use std::num::NonZero;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// The cores that may evaluate.
#[derive(Debug)]
pub(in crate::probe) struct Cores {
    /// How many are free.
    free: Mutex<usize>,
    /// Told when one more is.
    freed: Condvar,
}

/// A core, until this is dropped.
#[derive(Debug)]
pub(in crate::probe) struct Core<'a>(&'a Cores);

impl Cores {
    /// Those of this machine.
    pub(in crate::probe) fn of_machine() -> Self {
        Self::new(thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// So many.
    fn new(cores: usize) -> Self {
        Self {
            free: Mutex::new(cores),
            freed: Condvar::new(),
        }
    }

    /// Waits for one.
    pub(in crate::probe) fn take(&self) -> Core<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Core(self)
    }
}

impl Drop for Core<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn never_more_evaluate_than_there_are_cores() {
        let (cores, start) = (Cores::new(2), Barrier::new(8));
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..200 {
                        let core = cores.take();
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        drop(core);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(*cores.free.lock().unwrap(), 2);
    }
}
