//! What the ids of a trace follow from, and which share of the checks is traced.

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
    let [none, some, more, all] = [0.0, 0.01, 0.02, 1.0].map(|ratio| Share::new(ratio).unwrap());
    for site in 0..10_000 {
        let trace = trace_of(site, AT);
        assert!(!none.takes(trace) && all.takes(trace));
        assert!(more.takes(trace) || !some.takes(trace));
    }
    for ratio in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Share::new(ratio), None);
    }
}
