//! What the hold promises.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use crate::{
    ledger::Ledger,
    samples::{NOW, PATIENCE, held, task},
};

use super::*;

/// A hold on a clock that shows [`NOW`], and the ledger of its only partition.
fn hold() -> (Hold, Ledger) {
    let hold = Hold::new(Clock::fixed(NOW));
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    hold.assign(ledger.changed().unwrap());
    (hold, ledger)
}

/// The task that is given out next, which must be due.
fn due(hold: &Hold) -> Task {
    match hold.next() {
        Next::Due(task) => task.task,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tasks_are_given_out_in_the_order_they_are_due_and_none_before_its_instant() {
    let (hold, mut ledger) = hold();
    let instants = [40, 10, 30, -5, 20];
    let tasks = (1..).zip(instants).map(|(id, ahead)| task(id, NOW + ahead));
    hold.put(tasks.map(|task| held(&mut ledger, task)));
    for ahead in [-5, 10, 20, 30, 40] {
        assert_eq!(due(&hold).scheduled_at, NOW + ahead);
        assert!(hold.clock.now_ms() >= NOW + ahead, "{ahead} ms ahead");
    }
}

#[test]
fn at_one_instant_sites_come_by_their_number() {
    let (hold, mut ledger) = hold();
    let tasks = [7, 8, 9].map(|id| held(&mut ledger, task(id, NOW)));
    hold.put(tasks.into_iter().rev());
    assert_eq!([(); 3].map(|()| due(&hold).site_id), [7, 8, 9]);
}

#[test]
fn a_task_that_expired_while_it_waited_is_told_apart() {
    let (hold, mut ledger) = hold();
    let mut expired = task(1, NOW - 10);
    expired.expires_at = NOW;
    hold.put([expired, task(2, NOW)].map(|task| held(&mut ledger, task)));
    assert!(matches!(hold.next(), Next::Expired(task) if task.task.site_id == 1));
    assert_eq!(due(&hold).site_id, 2);
}

#[test]
fn tasks_of_assignments_that_are_over_are_dropped() {
    let (hold, mut ledger) = hold();
    let old = [1, 2].map(|id| held(&mut ledger, task(id, NOW)));
    ledger.revoke(&[0]);
    ledger.assign(&[0]);
    hold.assign(ledger.changed().unwrap());
    hold.put(old);
    hold.put([held(&mut ledger, task(3, NOW))]);
    assert_eq!(due(&hold).site_id, 3);
    assert_eq!(hold.size(), (0, 0));
}

#[test]
fn what_the_tasks_occupy_is_counted_in_and_out_again() {
    let (hold, mut ledger) = hold();
    let mut large = task(1, NOW);
    large.url = "x".repeat(10_000);
    let mut expired = task(3, NOW);
    expired.expires_at = NOW;
    let alone = task(2, NOW).heap_bytes();
    hold.put([held(&mut ledger, large)]);
    let (_, first) = hold.size();
    assert!(first > 10_000, "{first} bytes");
    hold.put([held(&mut ledger, task(2, NOW)), held(&mut ledger, expired)]);
    let (tasks, all) = hold.size();
    assert_eq!(tasks, 3);
    assert!(all >= first + 2 * alone, "{all} bytes");
    for _ in 0..3 {
        hold.next();
    }
    assert_eq!(hold.size(), (0, 0));
}

#[test]
fn the_end_wakes_whoever_waits_and_nothing_is_given_out_any_more() {
    let (hold, mut ledger) = hold();
    let hold = Arc::new(hold);
    let waiter = Arc::clone(&hold);
    let (said, heard) = mpsc::sync_channel(1);
    thread::spawn(move || said.send(matches!(waiter.next(), Next::Closed)));
    thread::yield_now();
    hold.close();
    assert!(heard.recv_timeout(PATIENCE).unwrap());
    hold.put([held(&mut ledger, task(1, NOW))]);
    assert!(matches!(hold.next(), Next::Closed));
}

#[test]
fn a_task_that_is_due_earlier_wakes_whoever_waits_for_a_later_one() {
    let (hold, mut ledger) = hold();
    let hold = Arc::new(hold);
    hold.put([held(&mut ledger, task(1, NOW + 3_600_000))]);
    let waiter = Arc::clone(&hold);
    let (said, heard) = mpsc::sync_channel(0);
    thread::spawn(move || while said.send(due(&waiter).site_id).is_ok() {});
    for id in 2..50 {
        // Gives the waiter the time to go back to its wait.
        for _ in 0..1_000 {
            thread::yield_now();
        }
        let now = hold.clock.now_ms();
        hold.put([held(&mut ledger, task(id, now + 1))]);
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(id));
    }
}
