//! Settings with a default and bounds: each number of a setting stands in one place.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::scalar::Scalar;

/// A setting's default and what is allowed.
#[derive(Clone, Debug)]
pub struct Limits<T> {
    /// Used when the key is absent.
    pub default: T,
    /// What is allowed, both ends included.
    pub allowed: RangeInclusive<T>,
}

impl<T: Copy + PartialOrd> Limits<T> {
    /// The value, when it is allowed; `show` writes the bounds as people write them.
    fn within<S: Display>(&self, value: T, show: impl Fn(T) -> S) -> Result<T, String> {
        if self.allowed.contains(&value) {
            Ok(value)
        } else {
            Err(self.refusal(show))
        }
    }

    /// What would be allowed.
    fn refusal<S: Display>(&self, show: impl Fn(T) -> S) -> String {
        let (least, most) = (show(*self.allowed.start()), show(*self.allowed.end()));
        format!("must be from {least} to {most}")
    }
}

impl<T: Copy + Display + PartialOrd + TryFrom<i64>> Limits<T> {
    /// A whole number.
    pub fn number(&self, raw: Option<i64>) -> Result<T, String> {
        let Some(raw) = raw else {
            return Ok(self.default);
        };
        let number = T::try_from(raw).map_err(|_| self.refusal(|bound| bound))?;
        self.within(number, |bound| bound)
    }
}

impl Limits<Duration> {
    /// A duration like `30s`, `6h` or `30d`.
    pub fn duration(&self, raw: Option<Scalar>) -> Result<Duration, String> {
        match raw {
            None => Ok(self.default),
            Some(Scalar::Number(_)) => {
                Err("is a number without a unit: write it like `30s`, `6h` or `30d`".to_owned())
            }
            Some(Scalar::Text(text)) => humantime::parse_duration(&text)
                .map_err(|_| "must be a duration like `30s`, `6h` or `30d`".to_owned())
                .and_then(|duration| self.within(duration, show_duration)),
        }
    }
}

impl Limits<u64> {
    /// A size in bytes, bare or with `KiB` or `MiB`.
    pub fn bytes(&self, raw: Option<Scalar>) -> Result<u64, String> {
        let bytes = match raw {
            None => return Ok(self.default),
            Some(Scalar::Number(number)) => u64::try_from(number).ok(),
            Some(Scalar::Text(text)) => parse_bytes(&text),
        };
        let wrong = "must be a size in bytes, or with a unit like `512KiB` or `4MiB`";
        self.within(bytes.ok_or(wrong)?, show_bytes)
    }
}

/// `512KiB` or `4MiB` in bytes.
fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix("MiB") {
        Some(digits) => (digits, 1 << 20),
        None => (text.strip_suffix("KiB")?, 1 << 10),
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

/// A duration in the largest unit that fits it without a rest.
fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, length) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if millis >= length && millis.is_multiple_of(length) {
            return format!("{}{unit}", millis / length);
        }
    }
    format!("{millis}ms")
}

/// A size in the largest unit that fits it without a rest.
fn show_bytes(bytes: u64) -> String {
    for (unit, length) in [("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= length && bytes.is_multiple_of(length) {
            return format!("{}{unit}", bytes / length);
        }
    }
    bytes.to_string()
}
