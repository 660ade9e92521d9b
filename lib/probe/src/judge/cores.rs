//! One evaluation per core: patterns and JSON paths over a large body are all computing, and a thousand
//! lanes that compute at once would make every other check late. So is compiling patterns. Each takes memory,
//! too, so that not all of many cores may do it at once.

use std::num::NonZero;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use contract::site::pattern::{MAX_SEARCH_BYTES, MAX_SITE_BYTES};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The most cores that evaluate at once.
const MOST: usize = 4;
/// The most memory of an evaluation that its check is not charged for, in bytes: the patterns of a site, a search
/// by one of them, and what compiling them takes on the way.
const CORE_BYTES: usize = MAX_SITE_BYTES + MAX_SEARCH_BYTES + COMPILER_BYTES;
/// What compiling one pattern takes beside the program, in bytes; measured with patterns of classes.
const COMPILER_BYTES: usize = 3 << 20;

/// The most memory of all evaluations together, in bytes.
pub(crate) const BYTES: usize = MOST * CORE_BYTES;

/// The cores that may evaluate.
#[derive(Debug)]
pub(crate) struct Cores {
    /// Threads that compile, as many as there are cores; none before the first pattern.
    ///
    /// The allocator keeps what is freed by the thread that had it: a thousand lanes that compile would keep
    /// megabytes each.
    compilers: OnceLock<Option<ThreadPool>>,
    /// How many cores there are.
    count: usize,
    /// How many are free.
    free: Mutex<usize>,
    /// Told when one more is.
    freed: Condvar,
}

/// A core, until this is dropped.
#[derive(Debug)]
pub(crate) struct Core<'a>(&'a Cores);

impl Cores {
    /// Those of this machine, as far as they may be used at once.
    pub(crate) fn of_machine() -> Self {
        Self::new(
            thread::available_parallelism()
                .map_or(1, NonZero::get)
                .min(MOST),
        )
    }

    /// So many.
    pub(crate) fn new(cores: usize) -> Self {
        Self {
            compilers: OnceLock::new(),
            count: cores,
            free: Mutex::new(cores),
            freed: Condvar::new(),
        }
    }

    /// Does work that takes much memory on the way, and waits for it. The caller has a core.
    pub(crate) fn compile<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let pool = self.compilers.get_or_init(|| {
            let named = ThreadPoolBuilder::new().thread_name(|n| format!("compiler-{n}"));
            named.num_threads(self.count).build().ok()
        });
        match pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Waits for one, so long at most.
    pub(crate) fn take(&self, most: Duration) -> Option<Core<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) = self
            .freed
            .wait_timeout_while(free, most, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Core(self))
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
                        let core = cores.take(Duration::MAX).unwrap();
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

    #[test]
    fn who_finds_no_core_in_time_goes_without() {
        let cores = Cores::new(1);
        let core = cores.take(Duration::ZERO);
        assert!(core.is_some() && cores.take(Duration::from_millis(1)).is_none());
        drop(core);
        assert!(cores.take(Duration::ZERO).is_some());
    }
}
