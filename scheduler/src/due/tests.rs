//! The windows of a turn against the law of due instants.

use contract::check::SiteId;
use proptest::prelude::*;
use store::schedule_shard::Shard;

use super::*;

/// Windows of one shard at `now`, scheduled up to `since`, whose sites have these intervals.
fn windows(since: i64, now: i64, intervals: &[i64]) -> Windows {
    let claim = Claim {
        shards: vec![Shard {
            id: 7,
            scheduled_until: UnixMs(since),
        }],
        now: UnixMs(now),
        until: UnixMs(now + 2_000),
    };
    Windows::new(
        &claim,
        intervals.iter().map(|interval| (7, *interval)).collect(),
    )
}

fn site(interval_ms: i64, phase_ms: i64, check_at: Option<i64>) -> DueSite<'static> {
    DueSite {
        id: SiteId(1),
        shard: 7,
        interval_ms,
        phase_ms,
        timeout_ms: 1,
        name: "",
        url: "",
        request: "{}",
        expect: "{}",
        check_at: check_at.map(UnixMs),
    }
}

proptest! {
    #[test]
    fn the_ranges_hold_exactly_the_phases_that_are_due(
        interval in 100_i64..500, since in 10_000_i64..12_000, behind in 0_i64..700,
    ) {
        let windows = windows(since, since + behind, &[interval]);
        let ranges = windows.phase_ranges();
        for phase in 0..interval {
            let found = ranges.iter().any(|range| (i64::from(range.first)..=i64::from(range.last)).contains(&phase));
            let due = windows.instants(&site(interval, phase, None)).next().is_some();
            prop_assert_eq!(found, due, "phase {}", phase);
        }
    }

    #[test]
    fn windows_of_consecutive_turns_hold_every_instant_once(
        interval in 100_i64..3_000, phase in 0_i64..3_000, pauses in prop::collection::vec(1_i64..1_500, 1..6),
    ) {
        let site = site(interval, phase % interval, None);
        let (start, mut now, mut since) = (98_500, 97_000, 98_500);
        let mut found = Vec::new();
        for pause in pauses {
            now += pause;
            found.extend(windows(since, now, &[interval]).instants(&site));
            since = since.max(now + 2_000);
        }
        let law: Vec<_> = due_instants(phase % interval, interval, UnixMs(start), UnixMs(since)).collect();
        prop_assert_eq!(found, law);
    }
}

#[test]
fn after_a_downtime_each_site_is_scheduled_for_its_latest_instant() {
    let windows = windows(100_000, 400_000, &[1_000, 60_000]);
    let instants: Vec<_> = windows.instants(&site(60_000, 5_000, None)).collect();
    assert_eq!(instants, [365_000].map(UnixMs));
    let instants: Vec<_> = windows.instants(&site(1_000, 250, None)).collect();
    assert_eq!(instants, [399_250, 400_250, 401_250].map(UnixMs));
}

#[test]
fn a_downtime_is_a_gap_as_far_as_the_shortest_interval_does_not_reach_back() {
    let gap = Gap {
        shard: 7,
        since: UnixMs(100_000),
        until: UnixMs(399_000),
    };
    assert_eq!(windows(100_000, 400_000, &[1_000, 60_000]).gaps(), [gap]);
    assert!(windows(100_000, 150_000, &[60_000]).gaps().is_empty());
    assert!(windows(100_000, 400_000, &[]).gaps().is_empty());
}

#[test]
fn an_extra_instant_is_scheduled_once_and_not_beside_a_regular_one() {
    let windows = windows(100_000, 99_000, &[1_000]);
    let extra = |check_at| {
        windows
            .instants(&site(1_000, 0, Some(check_at)))
            .collect::<Vec<_>>()
    };
    assert_eq!(extra(100_500), [UnixMs(100_500)]);
    assert!(extra(101_000).is_empty());
    let late = windows_after_downtime()
        .instants(&site(1_000, 0, Some(100_500)))
        .next();
    assert_eq!(late, None);
}

fn windows_after_downtime() -> Windows {
    windows(100_000, 400_000, &[1_000])
}
