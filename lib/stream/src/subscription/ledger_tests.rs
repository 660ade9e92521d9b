//! Which position is committed when.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn assigned() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    ledger
}

#[test]
fn only_what_is_durable_and_contiguous_is_committed() {
    let mut ledger = assigned();
    assert_eq!(ledger.commits(), []);
    let positions: Vec<_> = (5..10).map(|offset| ledger.deliver(0, offset)).collect();
    ledger.done(positions[1]);
    ledger.done(positions[2]);
    assert_eq!(ledger.commits(), [(0, 5)]);
    ledger.done(positions[0]);
    assert_eq!(ledger.commits(), [(0, 8)]);
    assert_eq!(ledger.commits(), []);
    ledger.done(positions[4]);
    ledger.done(positions[3]);
    assert_eq!(ledger.commits(), [(0, 10)]);
}

#[test]
fn offsets_that_kafka_leaves_out_hold_up_nothing() {
    let mut ledger = assigned();
    let positions = [3, 7, 20].map(|offset| ledger.deliver(0, offset));
    for position in positions {
        ledger.done(position);
    }
    assert_eq!(ledger.commits(), [(0, 21)]);
}

#[test]
fn what_was_read_under_an_assignment_that_is_over_is_not_committed() {
    let mut ledger = assigned();
    let old = ledger.deliver(0, 5);
    ledger.revoke(&[0]);
    ledger.done(old);
    assert_eq!(ledger.commits(), []);
    ledger.assign(&[0]);
    let new = ledger.deliver(0, 5);
    ledger.done(old);
    assert_eq!(ledger.commits(), [(0, 5)]);
    ledger.done(new);
    assert_eq!(ledger.commits(), [(0, 6)]);
}

#[test]
fn an_offset_that_goes_backwards_starts_the_account_anew() {
    let mut ledger = assigned();
    let before = ledger.deliver(0, 100);
    let after = ledger.deliver(0, 0);
    ledger.done(before);
    assert_eq!(ledger.commits(), [(0, 0)]);
    ledger.done(after);
    assert_eq!(ledger.commits(), [(0, 1)]);
}

#[test]
fn a_backlog_that_is_read_ahead_is_one_range() {
    let mut ledger = assigned();
    for offset in 0..100_000 {
        ledger.deliver(0, offset);
    }
    assert_eq!(ledger.accounts[&0].open.len(), 1);
}

proptest! {
    #[test]
    fn whatever_the_order_the_commit_is_the_first_open_offset(order in Just((0..40_i64).collect::<Vec<_>>()).prop_shuffle()) {
        let mut ledger = assigned();
        let positions: Vec<_> = (0..40).map(|offset| ledger.deliver(0, offset)).collect();
        let mut open: BTreeSet<_> = (0..40).collect();
        for offset in order {
            ledger.done(positions[usize::try_from(offset).unwrap()]);
            open.remove(&offset);
            ledger.commits();
            prop_assert_eq!(ledger.accounts[&0].last_given_out, Some(open.first().copied().unwrap_or(40)));
        }
    }
}
