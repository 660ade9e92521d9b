//! Instants, and the units they are counted in.
//!
//! An instant of the schedule is a whole number of milliseconds, one of a measurement a whole number of
//! microseconds. Both count from the Unix epoch on the database's clock, in messages and in tables too. The types
//! keep the two units apart. Arithmetic saturates: an instant from outside may be any number.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Defines an instant that is counted in one unit.
macro_rules! instant {
    ($(#[$doc:meta])* $name:ident, $count:ident, $since:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The first instant there is.
            pub const MIN: Self = Self(i64::MIN);
            /// The last instant there is.
            pub const MAX: Self = Self(i64::MAX);

            /// The time from `earlier` to this instant, in its unit; below zero if `earlier` is later.
            pub const fn $since(self, earlier: Self) -> i64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl Add<Duration> for $name {
            type Output = Self;

            fn add(self, time: Duration) -> Self {
                Self(self.0.saturating_add($count(time)))
            }
        }

        impl Sub<Duration> for $name {
            type Output = Self;

            fn sub(self, time: Duration) -> Self {
                Self(self.0.saturating_sub($count(time)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

instant! {
    /// An instant in milliseconds since the Unix epoch: those of the schedule.
    UnixMs, millis, ms_since
}

instant! {
    /// An instant in microseconds since the Unix epoch: those of measurements.
    UnixUs, micros, us_since
}

impl UnixMs {
    /// So many milliseconds later, or earlier if below zero.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The same instant in microseconds.
    pub const fn to_us(self) -> UnixUs {
        UnixUs(self.0.saturating_mul(1_000))
    }
}

impl UnixUs {
    /// So many microseconds later.
    #[must_use]
    pub const fn plus_us(self, us: u64) -> Self {
        Self(self.0.saturating_add_unsigned(us))
    }

    /// The millisecond in which this instant lies.
    pub const fn to_ms(self) -> UnixMs {
        UnixMs(self.0.div_euclid(1_000))
    }

    /// The second in which this instant lies, counted from the Unix epoch.
    pub const fn to_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// A duration in whole milliseconds, as `PostgreSQL` and messages count it.
pub fn millis(time: Duration) -> i64 {
    time.as_millis().try_into().unwrap_or(i64::MAX)
}

/// A duration in whole microseconds.
pub fn micros(time: Duration) -> i64 {
    time.as_micros().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_in_the_millisecond_and_second_that_it_lies_in_before_1970_too() {
        assert_eq!(UnixUs(1_999).to_ms(), UnixMs(1));
        assert_eq!(UnixUs(-1).to_ms(), UnixMs(-1));
        assert_eq!(UnixUs(-1).to_seconds(), -1);
        assert_eq!(UnixMs(-1).to_us(), UnixUs(-1_000));
    }

    #[test]
    fn no_number_from_outside_overflows() {
        assert_eq!(UnixMs::MAX + Duration::MAX, UnixMs::MAX);
        assert_eq!(UnixMs::MIN - Duration::MAX, UnixMs::MIN);
        assert_eq!(UnixMs::MAX.ms_since(UnixMs::MIN), i64::MAX);
        assert_eq!(UnixMs::MIN.plus_ms(-1), UnixMs::MIN);
        assert_eq!(UnixMs::MAX.to_us(), UnixUs::MAX);
        assert_eq!(UnixUs::MAX.plus_us(u64::MAX), UnixUs::MAX);
    }

    #[test]
    fn an_instant_is_a_plain_number_in_messages_and_logs() {
        assert_eq!(serde_json::to_string(&UnixMs(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<UnixUs>("-8").unwrap(), UnixUs(-8));
        assert_eq!(format!("{:>3}", UnixMs(7)), "  7");
    }
}
