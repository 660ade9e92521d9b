//! What all that make checks have in common: which server they ask, how much at once, and how it is counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::Report;
use crate::kernel;

/// How long a check may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// Over so long the first checks are spread.
const SPREAD: Duration = Duration::from_millis(100);

/// The stack of a thread, in bytes: address space, of which little comes into use.
const STACK_BYTES: usize = 1024 * 1024;

/// Checks back to back, so many at once.
#[derive(Args, Clone, Debug)]
pub(crate) struct Checks {
    /// Checks at once
    #[arg(long)]
    pub(crate) in_flight: usize,
    /// How long nothing is counted yet
    #[arg(long, default_value_t = 1.0)]
    pub(crate) warm_up: f64,
    /// How long is counted
    #[arg(long)]
    pub(crate) seconds: f64,
    /// The authority that signed the targets' certificates
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
    /// What is asked, in turn
    #[arg(required = true)]
    pub(crate) urls: Vec<String>,
}

/// Counts checks.
#[derive(Debug, Default)]
pub(crate) struct Count {
    /// Those that have ended.
    done: AtomicU64,
    /// Those of them that did not end well.
    failed: AtomicU64,
}

impl Count {
    /// One has ended.
    pub(crate) fn add(&self, well: bool) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if !well {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Done and failed.
    fn read(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.done), read(&self.failed))
    }
}

impl Checks {
    /// What is asked by the nth at once.
    pub(crate) fn url(&self, n: usize) -> &str {
        let url = self.urls.get(n % self.urls.len().max(1));
        url.map_or("", String::as_str)
    }

    /// When the nth at once starts, so that they do not all run in step.
    pub(crate) fn delay(&self, n: usize) -> Duration {
        SPREAD.mul_f64(ratio(n, self.in_flight))
    }

    /// The authorities that are trusted.
    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            let authority = CertificateDer::from_pem_file(ca)
                .wrap_err_with(|| format!("read {}", ca.display()))?;
            roots
                .add(authority)
                .wrap_err("trust the targets' authority")?;
        }
        Ok(roots)
    }

    /// Has a thread for each at once make one check after the other, for ever, and says what they took; what it
    /// calls is prepared for its URL, and tells whether a check ended well.
    pub(crate) async fn on_threads<C>(&self, prepare: impl Fn(&str) -> Result<C>) -> Result<Report>
    where
        C: Fn() -> bool + Send + 'static,
    {
        let count = Arc::new(Count::default());
        for n in 0..self.in_flight {
            let check = prepare(self.url(n))?;
            let (count, delay) = (Arc::clone(&count), self.delay(n));
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            let thread = thread.spawn(move || {
                thread::park_timeout(delay);
                loop {
                    count.add(check());
                }
            });
            drop(thread.wrap_err("start a thread")?);
        }
        self.measure(&count).await
    }

    /// Lets the checks run, and says what they took after the warm-up.
    pub(crate) async fn measure(&self, count: &Count) -> Result<Report> {
        tokio::time::sleep(Duration::from_secs_f64(self.warm_up)).await;
        let (began, cpu, (done, failed)) = (Instant::now(), kernel::own_cpu(), count.read());
        tokio::time::sleep(Duration::from_secs_f64(self.seconds)).await;
        let (done_then, failed_then) = count.read();
        Ok(Report {
            done: done_then - done,
            failed: failed_then - failed,
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds: kernel::own_cpu() - cpu,
            peak_kib: kernel::peak_kib(std::process::id())?,
        })
    }
}

/// `n` of `all`.
#[expect(clippy::cast_precision_loss, reason = "there are not that many")]
fn ratio(n: usize, all: usize) -> f64 {
    n as f64 / all.max(1) as f64
}
