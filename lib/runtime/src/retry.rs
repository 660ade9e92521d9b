//! Trying again: how long to wait, and how not to say the same thing at every attempt.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use crate::quota::Quota;

/// The pause before an outage is said again.
const FIRST_REMINDER: Duration = Duration::from_mins(5);
/// The longest such pause.
const LONGEST_REMINDER: Duration = Duration::from_hours(1);
/// How many different causes of one outage are said; more would be one cause that is worded anew.
const MOST_CAUSES: usize = 8;

/// Waits that double up to a cap, each shortened by up to half at random, so that many clients that
/// lost the same server do not come back in step.
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

/// A dependency that may be away: says so once per change of state, not once per attempt, and a few
/// times a minute at most if it comes and goes. One that stays away is said again after pauses that double.
#[derive(Clone, Debug)]
pub struct Outage {
    /// The dependency, as the log calls it.
    what: String,
    /// The last cause, while it is away.
    cause: Option<String>,
    /// The causes that were said since it was last there.
    said: BTreeSet<String>,
    /// When it was first said, when it is said again, and the pause after that.
    reminder: Option<(Instant, Instant, Duration)>,
    /// How much may be said.
    quota: Quota,
}

impl Outage {
    /// `what` begins the line that is logged: `PostgreSQL at db:5432/webmon`.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
            said: BTreeSet::new(),
            reminder: None,
            quota: Quota::new(),
        }
    }

    /// An attempt failed; logged if none failed so since the last that succeeded. Returns whether it
    /// was.
    pub fn failed(&mut self, cause: &str) -> bool {
        self.failed_at(cause, Instant::now())
    }

    /// The same at the instant `now`.
    fn failed_at(&mut self, cause: &str, now: Instant) -> bool {
        self.cause = Some(cause.to_owned());
        if self.said.contains(cause) || self.said.len() == MOST_CAUSES {
            return self.remind(cause, now);
        }
        let what = &self.what;
        let said = self.quota.say(|left_out| {
            tracing::warn!(cause, left_out, "{what} does not answer; trying again");
        });
        if said {
            self.said.insert(cause.to_owned());
            let first = (now, now + FIRST_REMINDER, FIRST_REMINDER);
            self.reminder.get_or_insert(first);
        }
        said
    }

    /// Says again that it is away, if it is time.
    fn remind(&mut self, cause: &str, now: Instant) -> bool {
        let Some((since, at, pause)) = &mut self.reminder else {
            return false;
        };
        if now < *at {
            return false;
        }
        let (what, seconds) = (&self.what, (now - *since).as_secs());
        tracing::warn!(
            cause,
            outage.seconds = seconds,
            "{what} still does not answer; trying again"
        );
        *pause = (*pause * 2).min(LONGEST_REMINDER);
        *at = now + *pause;
        true
    }

    /// An attempt succeeded; logged if a failure was logged before it. Returns whether it was.
    pub fn over(&mut self) -> bool {
        self.cause = None;
        self.reminder = None;
        let changed = !self.said.is_empty();
        if changed {
            self.said.clear();
            tracing::info!("{} answers again", self.what);
        }
        changed
    }

    /// The last cause, while it is away.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
