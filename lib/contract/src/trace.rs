//! The trace of a check: which one it is, and whether it is kept.
//!
//! Scheduler and checkers tell each other nothing of traces. Ids are a hash of the site and the due instant, so
//! that each of them puts its spans of a check, and of a repeat, into the same trace. Whether a check is traced
//! follows from its id: services that keep the same share keep the same checks.

use crate::check::CheckKey;
use crate::instant::UnixUs;

/// What is added before mixing, so that zero does not stay zero: the golden ratio, as in `SplitMix64`.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The trace of a check, and the span in it that stands for the whole check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The trace's id; never zero.
    pub id: u128,
    /// The id of the root span; never zero.
    pub root: u64,
}

impl Trace {
    /// The trace of a check.
    pub const fn of(check: CheckKey) -> Self {
        let site = check.site.0.cast_unsigned();
        let high = mix(mix(site) ^ check.scheduled_at.0.cast_unsigned());
        let low = mix(high ^ site);
        Self {
            id: ((high as u128) << 64) | nonzero(low) as u128,
            root: nonzero(mix(low ^ high)),
        }
    }

    /// The id of a span below the root: the same stage of a repeated check starts at another instant, and is
    /// another span.
    pub fn span(self, name: &str, start: UnixUs) -> u64 {
        let named = name
            .bytes()
            .fold(self.root, |hash, byte| mix(hash ^ u64::from(byte)));
        nonzero(mix(named ^ start.0.cast_unsigned()))
    }
}

/// A share of all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The first of 2^63 places that is not in it.
    bound: u64,
}

impl Share {
    /// A share from 0 to 1; none for any other number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "between 0 and 2^63, which is exact"
    )]
    pub fn new(ratio: f64) -> Option<Self> {
        let bound = (ratio * (1_u64 << 63) as f64) as u64;
        (0.0..=1.0).contains(&ratio).then_some(Self { bound })
    }

    /// Whether a trace is in it, as the sampler `TraceIdRatioBased` of OpenTelemetry's libraries says.
    #[expect(clippy::cast_possible_truncation, reason = "by the last eight bytes")]
    pub const fn takes(self, trace: Trace) -> bool {
        (trace.id as u64) >> 1 < self.bound
    }
}

/// Spreads a number over all 64 bits, no two to the same: a step of `SplitMix64`.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(GOLDEN);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// No id is zero.
const fn nonzero(id: u64) -> u64 {
    if id == 0 { 1 } else { id }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
