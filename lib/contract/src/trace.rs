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
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::SiteId;
    use crate::instant::UnixMs;

    const AT: i64 = 1_795_449_600_123;

    /// The trace of the check of a site at an instant.
    fn trace_of(site: i64, at: i64) -> Trace {
        Trace::of(CheckKey::new(SiteId(site), UnixMs(at)))
    }

    #[test]
    fn the_ids_of_a_check_never_change() {
        let trace = trace_of(42, AT);
        let ids = [
            trace.span("probe", UnixMs(AT).to_us()),
            trace.span("hold", UnixUs(0)),
        ];
        assert_eq!(
            format!("{:032x} {:016x}", trace.id, trace.root),
            "a9bed870ebebc0592b76147f66f2aa04 26d5599253de729d"
        );
        assert_eq!(
            format!("{:016x} {:016x}", ids[0], ids[1]),
            "85e6a35940c0b26a 8417f9002b499e79"
        );
    }

    #[test]
    fn no_two_checks_and_no_two_stages_have_an_id_in_common() {
        let mut ids = BTreeSet::new();
        for (site, at) in (0..100).flat_map(|site| (0..100).map(move |at| (site, AT + at))) {
            let trace = trace_of(site, at);
            assert!(ids.insert(trace.id), "{site} {at}");
            for (name, start) in [("hold", 1), ("hold", 2), ("probe", 1)] {
                assert!(
                    ids.insert(trace.span(name, UnixUs(start)).into()),
                    "{site} {at}"
                );
            }
            assert!(ids.insert(trace.root.into()), "{site} {at}");
        }
    }

    #[test]
    fn a_share_takes_its_part_of_all_checks_and_of_each_site() {
        let share = Share::new(0.25).unwrap();
        let taken = |site: i64| {
            let instants = (0..4_000).map(|n| AT + n * 60_000);
            instants
                .filter(|at| share.takes(trace_of(site, *at)))
                .count()
        };
        for site in 0..20 {
            assert!((850..1_150).contains(&taken(site)), "{}", taken(site));
        }
    }

    #[test]
    fn a_larger_share_takes_what_a_smaller_one_takes_and_the_whole_takes_all() {
        let [none, some, more, all] =
            [0.0, 0.01, 0.02, 1.0].map(|ratio| Share::new(ratio).unwrap());
        for site in 0..10_000 {
            let trace = trace_of(site, AT);
            assert!(!none.takes(trace) && all.takes(trace));
            assert!(more.takes(trace) || !some.takes(trace));
        }
        for ratio in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::new(ratio), None);
        }
    }
}
