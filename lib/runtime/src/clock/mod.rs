//! One clock for all services: the monotonic clock of this host plus an offset to the database's.
//!
//! Everything that is due is due on the database's clock, and `PostgreSQL` is what all services have in
//! common. A host's wall clock decides nothing, so a step of it has no effect. (librdkafka's waits go by it:
//! the thread that owns the client ends those that matter.)

mod round_trip;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use color_eyre::eyre::{self, eyre};
use contract::instant::{UnixMs, UnixUs, micros};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use tokio_util::sync::CancellationToken;

use self::round_trip::RoundTrip;
use crate::periodic::{Failure, Failures, Periodic, Statuses, Task};

/// How often the offset is measured.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// Round trips per measurement; the shortest one counts.
const ROUND_TRIPS: usize = 3;

/// The farthest wait that `instant_at` gives: a year.
const FARTHEST_US: i64 = 366 * 86_400 * 1_000_000;

/// What the clock follows: the time of a database.
pub trait TimeSource {
    /// Why there was no answer.
    type Error: Display;

    /// Asks for the time.
    fn now_us(&mut self) -> impl Future<Output = Result<UnixUs, Self::Error>> + Send;
}

/// Database time, anywhere and at no cost. Clones share one offset.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Shared>);

/// What the clones share.
#[derive(Debug)]
struct Shared {
    /// Where the monotonic clock is counted from.
    base: Instant,
    /// Database time at `base`, in microseconds since the Unix epoch.
    offset_us: AtomicI64,
    /// Database time minus this host's wall clock when last measured, in microseconds: for people only.
    wall_offset_us: AtomicI64,
}

impl Clock {
    /// Measures the offset: the shortest of three round trips, its middle.
    pub async fn measure<S: TimeSource>(mut source: S) -> Result<Self, S::Error> {
        let clock = Self::starting_at(UnixUs(0));
        let best = clock.look(&mut source).await?;
        clock.set(best.middle(), best);
        Ok(clock)
    }

    /// Measures again. The offset moves only as far as the measurement demands, so that the clock does
    /// not waver with the length of round trips.
    pub async fn remeasure<S: TimeSource>(&self, source: &mut S) -> Result<(), S::Error> {
        let best = self.look(source).await?;
        self.set(
            best.corrected(self.0.offset_us.load(Ordering::Relaxed)),
            best,
        );
        Ok(())
    }

    /// Measures every ten seconds until `stop`. While that fails the last offset stays; the failure is
    /// logged once per change of state.
    pub async fn keep<S: TimeSource + Send>(
        self,
        source: S,
        statuses: Statuses,
        stop: CancellationToken,
    ) -> eyre::Result<()> {
        let clock = KeepClock {
            clock: self,
            source,
        };
        // There was a measurement already.
        let clock = Periodic::after_a_period(clock, Failures::outage("the database's clock"));
        clock.run(statuses, stop).await
    }

    /// Database time, to the millisecond.
    pub fn now_ms(&self) -> UnixMs {
        self.now_us().to_ms()
    }

    /// Database time, to the microsecond.
    pub fn now_us(&self) -> UnixUs {
        let offset_us = self.0.offset_us.load(Ordering::Relaxed);
        UnixUs(offset_us.saturating_add(self.0.monotonic_us()))
    }

    /// When the monotonic clock will show this instant of database time; now, if that is past, and at most a
    /// year ahead.
    pub fn instant_at(&self, at: UnixMs) -> Instant {
        let now = Instant::now();
        let wait_us = at.to_us().us_since(self.now_us()).clamp(0, FARTHEST_US);
        now.checked_add(Duration::from_micros(wait_us.unsigned_abs()))
            .unwrap_or(now)
    }

    /// How far the database's clock is ahead of this host's wall clock, in seconds, as last measured.
    ///
    /// Nothing is scheduled by it: it tells people whose clock is wrong.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
    pub fn offset_seconds(&self) -> f64 {
        self.0.wall_offset_us.load(Ordering::Relaxed) as f64 / 1e6
    }

    /// A clock for tests: it shows `now` now, and runs on the monotonic clock.
    pub fn fixed(now: UnixMs) -> Self {
        Self::starting_at(now.to_us())
    }

    /// A clock that shows `now` now.
    fn starting_at(now: UnixUs) -> Self {
        Self(Arc::new(Shared {
            base: Instant::now(),
            offset_us: AtomicI64::new(now.0),
            wall_offset_us: AtomicI64::new(0),
        }))
    }

    /// The shortest of a few round trips.
    async fn look<S: TimeSource>(&self, source: &mut S) -> Result<RoundTrip, S::Error> {
        let mut best = self.round_trip(source).await?;
        for _ in 1..ROUND_TRIPS {
            let next = self.round_trip(source).await?;
            if next.width() < best.width() {
                best = next;
            }
        }
        Ok(best)
    }

    /// Asks the database for its clock once.
    async fn round_trip<S: TimeSource>(&self, source: &mut S) -> Result<RoundTrip, S::Error> {
        let sent = self.0.monotonic_us();
        let UnixUs(database) = source.now_us().await?;
        let received = self.0.monotonic_us();

        Ok(RoundTrip {
            sent,
            received,
            database,
            wall: wall_us(),
        })
    }

    /// Takes a new offset, and notes what `seen` says about this host's wall clock.
    fn set(&self, offset_us: i64, seen: RoundTrip) {
        self.0.offset_us.store(offset_us, Ordering::Relaxed);
        let wall_offset_us = offset_us + seen.received - seen.wall;
        self.0
            .wall_offset_us
            .store(wall_offset_us, Ordering::Relaxed);
    }
}

/// The task that measures the offset again.
struct KeepClock<S> {
    /// The clock.
    clock: Clock,
    /// What it follows.
    source: S,
}

impl<S: TimeSource + Send> Task for KeepClock<S> {
    const NAME: &'static str = "clock";
    const PERIOD: Duration = KEEP_EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let measured = self.clock.remeasure(&mut self.source).await;
        Ok(measured.map_err(|error| eyre!("{error}"))?)
    }
}

impl Shared {
    /// Microseconds since `base`.
    fn monotonic_us(&self) -> i64 {
        micros(self.base.elapsed())
    }
}

/// This host's wall clock in microseconds since the Unix epoch; read for the metric alone.
fn wall_us() -> i64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    micros(since_epoch)
}

/// A clock registered as collector exports `webmon_clock_offset_seconds`.
impl Collector for Clock {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(self.offset_seconds());
        let help = "How far the database's clock is ahead of this host's wall clock";
        let name = "webmon_clock_offset_seconds";
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_starts_where_it_is_told_and_runs_on() {
        let clock = Clock::fixed(UnixMs(1_000));
        let first = clock.now_us();
        assert!(
            (UnixUs(1_000_000)..UnixUs(1_500_000)).contains(&first),
            "{first}"
        );
        while clock.now_us() == first {
            std::hint::spin_loop();
        }
        assert!(clock.now_us() > first);
        assert_eq!(clock.clone().now_ms().0 / 1_000, 1);
    }

    #[test]
    fn an_instant_ahead_is_as_far_as_the_clock_says() {
        let clock = Clock::fixed(UnixMs(5_000));
        let before = Instant::now();
        let at = clock.instant_at(UnixMs(65_000));
        assert!(at <= Instant::now() + Duration::from_mins(1));
        assert!(at >= before + Duration::from_millis(59_500));
    }

    #[test]
    fn an_instant_past_is_now_and_the_end_of_time_is_no_overflow() {
        let clock = Clock::fixed(UnixMs(5_000));
        assert!(clock.instant_at(UnixMs(0)) <= Instant::now());
        assert!(clock.instant_at(UnixMs::MIN) <= Instant::now());
        assert!(clock.instant_at(UnixMs::MAX) > Instant::now() + Duration::from_hours(24));
    }
}
