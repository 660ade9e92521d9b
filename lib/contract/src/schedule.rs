//! When a site is due: a law, not a record.
//!
//! A site is due at every instant `t` with `(t - phase) mod interval = 0`. Windows are half-open,
//! `(since, until]`, so that windows laid end to end hold every instant exactly once.

use crate::instant::UnixMs;

/// The due instants of one site in `(since, until]`.
///
/// `interval_ms` below 1 counts as 1 (`PostgreSQL` refuses such rows).
pub fn due_instants(
    phase_ms: i64,
    interval_ms: i64,
    since: UnixMs,
    until: UnixMs,
) -> impl Iterator<Item = UnixMs> {
    let interval_ms = interval_ms.max(1);
    let first = since.0 + 1 + (phase_ms - since.0 - 1).rem_euclid(interval_ms);
    std::iter::successors(Some(first), move |t| t.checked_add(interval_ms))
        .map(UnixMs)
        .take_while(move |t| *t <= until)
}

/// Whether `t` is a regular due instant.
pub const fn is_due_at(phase_ms: i64, interval_ms: i64, t: UnixMs) -> bool {
    (t.0 - phase_ms).rem_euclid(if interval_ms < 1 { 1 } else { interval_ms }) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_instants_of_a_window_are_those_that_obey_the_law(
            interval in 1_i64..400, phase in 0_i64..400, since in -1_000_i64..1_000, length in 0_i64..900,
        ) {
            let phase = phase % interval;
            let found: Vec<_> = due_instants(phase, interval, UnixMs(since), UnixMs(since + length)).collect();
            let expected: Vec<_> =
                (since + 1..=since + length).map(UnixMs).filter(|t| is_due_at(phase, interval, *t)).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn windows_laid_end_to_end_hold_every_instant_once() {
        let whole: Vec<_> = due_instants(7, 100, UnixMs(1_000), UnixMs(2_000)).collect();
        let halves: Vec<_> = due_instants(7, 100, UnixMs(1_000), UnixMs(1_507))
            .chain(due_instants(7, 100, UnixMs(1_507), UnixMs(2_000)))
            .collect();
        assert_eq!(whole, halves);
        assert_eq!(whole.len(), 10);
    }
}
