//! Wall clock: whether that of this host was set back.
//!
//! Nothing of ours goes by it, but librdkafka's waits do: one that has begun lasts so much longer. The thread
//! that learns where partitions are was seen to wait like this, while tasks waited for it.

use std::time::{Duration, Instant, SystemTime};

/// So far back it may be set unnoticed: a wait that is so much longer does no harm.
const TOLERANCE: Duration = Duration::from_millis(250);

/// The wall clock and the monotonic clock, as last seen.
#[derive(Debug)]
pub(crate) struct WallClock(SystemTime, Instant);

impl WallClock {
    /// Notes what the two clocks show now.
    pub(crate) fn new() -> Self {
        Self(SystemTime::now(), Instant::now())
    }

    /// Whether the wall clock was set back since this was last asked.
    pub(crate) fn was_set_back(&mut self) -> bool {
        self.was_set_back_at(SystemTime::now(), Instant::now())
    }

    /// The same, when the two clocks show this.
    fn was_set_back_at(&mut self, wall: SystemTime, monotonic: Instant) -> bool {
        let shown = wall.duration_since(self.0).unwrap_or_default();
        let passed = monotonic.saturating_duration_since(self.1);
        *self = Self(wall, monotonic);
        shown + TOLERANCE < passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wall_clock_that_was_set_back_is_noticed_and_once() {
        let mut clock = WallClock::new();
        let (mut wall, mut monotonic) = (clock.0, clock.1);
        let second = Duration::from_secs(1);
        for (shown_ms, back) in [
            (1_000, false),
            (900, false),
            (3_601_000, false),
            (1_000, false),
            (700, true),
            (-3_599_000, true),
            (1_000, false),
        ] {
            let shown = Duration::from_millis(i64::unsigned_abs(shown_ms));
            wall = if shown_ms < 0 {
                wall - shown
            } else {
                wall + shown
            };
            monotonic += second;
            assert_eq!(
                clock.was_set_back_at(wall, monotonic),
                back,
                "{shown_ms} ms"
            );
        }
    }
}
