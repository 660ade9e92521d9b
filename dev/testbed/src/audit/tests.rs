//! The audit on tables that are made up.

use super::*;

/// Ten seconds of a site that is due every second.
const UNTIL: i64 = 1_795_449_610_000;

/// The site, and a row for each of its instants.
fn complete() -> Tables {
    let site = Site {
        id: 7,
        name: "shop".to_owned(),
        interval_ms: 1_000,
        scheduled_from: UNTIL - 10_000,
        check_at: None,
    };
    let (_, phase) = shard_and_phase("shop", 1_000);
    let rows = due_instants(&site, phase, UNTIL);
    Tables {
        rows: rows.into_iter().map(row).collect(),
        sites: vec![site],
        gaps: Vec::new(),
    }
}

/// A result that started 2 ms late.
fn row(scheduled_at: i64) -> Row {
    Row {
        site_id: 7,
        scheduled_at,
        started_at_us: Some(scheduled_at * 1_000 + 2_000),
        verdict: "up".to_owned(),
    }
}

#[test]
fn the_hash_of_a_name_is_the_one_of_the_schema() {
    // What PostgreSQL makes of it.
    assert_eq!(shard_and_phase("shop", 60_000), (5, 55_918));
}

#[test]
fn a_row_for_every_instant_is_clean() {
    let report = examine(&complete(), UNTIL);
    assert_eq!((report.due, report.faults()), (10, 0));
    report.assert_clean();
}

#[test]
fn a_row_that_is_not_there_is_missing() {
    let mut tables = complete();
    let lost = tables.rows.remove(4);
    let report = examine(&tables, UNTIL);
    assert_eq!(report.missing.len(), 1);
    assert_eq!(report.missing[0].at, lost.scheduled_at);
}

#[test]
fn a_gap_of_its_own_shard_covers_a_missing_row() {
    let mut tables = complete();
    let at = tables.rows.remove(4).scheduled_at;
    let (shard, _) = shard_and_phase("shop", 1_000);
    for (shard, since, until, in_gaps) in [
        (shard, at - 1, at, 1),
        (shard, at, at + 1, 0),
        ((shard + 1) % SHARDS, at - 1, at, 0),
    ] {
        tables.gaps = vec![Gap {
            shard,
            since,
            until,
        }];
        let report = examine(&tables, UNTIL);
        assert_eq!(
            (report.in_gaps, report.missing.len()),
            (in_gaps, 1 - in_gaps)
        );
    }
}

#[test]
fn a_row_that_was_not_due_and_a_second_row_are_faults() {
    let mut tables = complete();
    let at = tables.rows[3].scheduled_at;
    tables.rows.extend([row(at), row(at + 1)]);
    let report = examine(&tables, UNTIL);
    assert_eq!((report.repeated.len(), report.foreign.len()), (1, 1));
    assert_eq!(report.faults(), 2);
}

#[test]
fn a_check_that_was_started_early_or_after_it_expired_is_a_fault() {
    let mut tables = complete();
    for (n, late_ms) in [-10, 0, 999, 1_200].into_iter().enumerate() {
        let row = &mut tables.rows[n];
        row.started_at_us = Some((row.scheduled_at + late_ms) * 1_000);
    }
    let report = examine(&tables, UNTIL);
    assert_eq!((report.untimely.len(), report.faults()), (2, 2));
}

#[test]
fn an_extra_check_is_one_more_due_instant() {
    let mut tables = complete();
    let at = tables.rows[3].scheduled_at + 1;
    tables.sites[0].check_at = Some(at);
    assert_eq!(examine(&tables, UNTIL).missing[0].at, at);
    tables.rows.push(row(at));
    let report = examine(&tables, UNTIL);
    assert_eq!((report.due, report.faults()), (11, 0));
}

#[test]
fn what_was_before_the_site_as_it_is_now_is_not_judged() {
    let mut tables = complete();
    tables.rows.push(row(UNTIL - 10_000));
    tables.rows.push(row(UNTIL - 10_001));
    assert_eq!(examine(&tables, UNTIL).faults(), 0);
}
