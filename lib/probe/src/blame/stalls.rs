//! Stalls: whether this process stood still while a check was made.
//!
//! A machine without CPU time, a stopped container, a frozen host: time passes, and the site is not to blame
//! for it. A thread ticks; a check that failed across a tick that came late says nothing about its site.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use runtime::quota::Quota;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it ticks.
const TICK: Duration = Duration::from_millis(100);
/// A tick that comes later than this is a stall: above what a busy machine's scheduler takes.
const LIMIT: Duration = Duration::from_millis(500);

/// When this process stood still.
#[derive(Debug, Default)]
pub(crate) struct Stalls(Mutex<Ticks>);

/// The ticks so far.
#[derive(Debug, Default)]
struct Ticks {
    /// The last one; none while no thread ticks.
    last: Option<Instant>,
    /// The end of the last stall, and how long it was.
    stall: Option<(Instant, Duration)>,
}

impl Stalls {
    /// Ticks until `stop`, and logs each stall.
    pub(crate) fn watch(&self, stop: &CancellationToken) {
        let mut quota = Quota::new();
        while !stop.is_cancelled() {
            if let Some(stall) = self.tick(Instant::now()) {
                let millis = u64::try_from(stall.as_millis()).unwrap_or(u64::MAX);
                quota.say(|left_out| {
                    warn!(
                        stall.milliseconds = millis,
                        left_out,
                        "this process stood still: checks that failed meanwhile are inconclusive"
                    );
                });
            }
            thread::park_timeout(TICK);
        }
        self.lock().last = None;
    }

    /// How long this process stood still, if it did between `began` and now.
    pub(crate) fn since(&self, began: Instant, now: Instant) -> Option<Duration> {
        let ticks = self.lock();
        // the thread that asks may be awake before the one that ticks
        let running = ticks.last.map(|last| now.saturating_duration_since(last));
        let running = running.filter(|still| is_stall(*still));
        let ended = ticks.stall.filter(|(end, _)| *end > began);
        running.or(ended.map(|(_, still)| still))
    }

    /// A tick; how long this process stood still before it, if it did.
    fn tick(&self, now: Instant) -> Option<Duration> {
        let mut ticks = self.lock();
        let before = ticks.last.replace(now)?;
        let still = now.saturating_duration_since(before);
        if !is_stall(still) {
            return None;
        }
        ticks.stall = Some((now, still));
        Some(still)
    }

    /// The ticks; a panic elsewhere leaves them usable.
    fn lock(&self) -> MutexGuard<'_, Ticks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether so much time between two ticks is a stall.
fn is_stall(between: Duration) -> bool {
    between > TICK + LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many milliseconds.
    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_late_tick_is_a_stall_for_what_began_before_it() {
        let now = Instant::now();
        let stalls = Stalls::default();
        let at = |ago| now.checked_sub(ms(ago)).unwrap();
        assert_eq!(stalls.tick(at(2_000)), None);
        assert_eq!(stalls.tick(at(1_400)), None, "not late enough");
        assert_eq!(stalls.since(at(2_000), at(1_400)), None);
        assert_eq!(stalls.tick(at(700)), Some(ms(700)));
        assert_eq!(stalls.tick(now), Some(ms(700)));
        assert_eq!(stalls.since(at(1), now), Some(ms(700)));
        assert_eq!(stalls.since(now, now), None);
    }

    #[test]
    fn a_stall_shows_before_the_next_tick() {
        let stalls = Stalls::default();
        let now = Instant::now();
        assert_eq!(stalls.since(now, now), None, "no thread ticks");
        stalls.tick(now);
        assert_eq!(stalls.since(now, now + ms(600)), None);
        assert_eq!(stalls.since(now, now + ms(601)), Some(ms(601)));
    }
}
