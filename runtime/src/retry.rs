//! Trying again: how long to wait, and how not to say the same thing at every attempt.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Waits that double up to a cap, each shortened by up to half at random, so that many who lost the
/// same server do not come back in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The first wait.
    first: Duration,
    /// The longest wait.
    cap: Duration,
    /// The next wait, before it is shortened.
    next: Duration,
}

impl Backoff {
    /// Starts at `first` and doubles up to `cap`.
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            next: first,
        }
    }

    /// The wait before the next attempt: between a half and the whole of the current step.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.next.min(self.cap);
        self.next = step.saturating_mul(2);
        step / 2 + (step / 2).mul_f64(random_fraction())
    }

    /// It worked: the next failure starts from the first wait again.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// A number in `[0, 1)`. The keys of `RandomState` differ from one to the next, which is all the
/// chance that jitter needs.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

/// A dependency that may be away: says so once per change of state, not once per attempt.
#[derive(Clone, Debug)]
pub struct Outage {
    /// The dependency, as the log calls it.
    what: String,
    /// What was said last, while it is away.
    cause: Option<String>,
}

impl Outage {
    /// `what` begins the line that is logged: `PostgreSQL at db:5432/webmon`.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
        }
    }

    /// An attempt failed; logged if it was fine before or failed differently. Returns whether it was.
    pub fn failed(&mut self, cause: &str) -> bool {
        let changed = self.cause.as_deref() != Some(cause);
        if changed {
            tracing::warn!(cause, "{} does not answer; trying again", self.what);
            self.cause = Some(cause.to_owned());
        }
        changed
    }

    /// An attempt succeeded; logged if the one before had failed. Returns whether it was.
    pub fn over(&mut self) -> bool {
        let changed = self.cause.take().is_some();
        if changed {
            tracing::info!("{} answers again", self.what);
        }
        changed
    }

    /// The cause that was said last, while it is away.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_lose_at_most_half() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        for step in [100, 200, 350, 350] {
            let wait = backoff.next_wait();
            assert!(
                wait >= Duration::from_millis(step) / 2,
                "{wait:?} of {step} ms"
            );
            assert!(wait <= Duration::from_millis(step), "{wait:?} of {step} ms");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(100));
    }

    #[test]
    fn waits_differ_from_one_another() {
        let waits: std::collections::HashSet<_> = (0..8)
            .map(|_| Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next_wait())
            .collect();
        assert!(waits.len() > 1);
    }

    #[test]
    fn an_outage_is_said_once_per_change() {
        let mut outage = Outage::new("PostgreSQL");
        assert!(!outage.over());
        assert!(outage.failed("refused"));
        assert!(!outage.failed("refused"));
        assert!(outage.failed("timed out"));
        assert!(outage.over());
        assert!(!outage.over());
        assert!(outage.failed("timed out"));
    }
}
