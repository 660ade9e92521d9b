//! What the order of the tasks promises.

use crate::{
    ledger::Ledger,
    samples::{NOW, held, task},
};

use super::*;

/// An empty queue, and the ledger of its only partition.
fn queue() -> (Queue, Ledger) {
    let mut queue = Queue::default();
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    queue.assign(ledger.changed().unwrap());
    (queue, ledger)
}

/// The sites of the tasks that are due at this instant, in turn.
fn due(queue: &mut Queue, now: i64) -> Vec<i64> {
    std::iter::from_fn(|| queue.take_due(now))
        .map(|held| held.task.site_id)
        .collect()
}

#[test]
fn tasks_come_in_the_order_they_are_due_and_none_before_its_instant() {
    let (mut queue, mut ledger) = queue();
    for (id, ahead) in (1..).zip([40, 10, 30, -5, 20]) {
        queue.add(held(&mut ledger, task(id, NOW + ahead)));
    }
    assert_eq!(queue.first_due(), Some(NOW - 5));
    assert_eq!(due(&mut queue, NOW), [4]);
    assert_eq!(due(&mut queue, NOW + 29), [2, 5]);
    assert_eq!(queue.first_due(), Some(NOW + 30));
    assert_eq!(due(&mut queue, NOW + 40), [3, 1]);
    assert_eq!(queue.first_due(), None);
}

#[test]
fn at_one_instant_sites_come_by_their_number() {
    let (mut queue, mut ledger) = queue();
    let tasks = [7, 8, 9].map(|id| held(&mut ledger, task(id, NOW)));
    for held in tasks.into_iter().rev() {
        queue.add(held);
    }
    assert_eq!(due(&mut queue, NOW), [7, 8, 9]);
}

#[test]
fn tasks_of_assignments_that_are_over_are_dropped() {
    let (mut queue, mut ledger) = queue();
    let old = [1, 2].map(|id| held(&mut ledger, task(id, NOW)));
    ledger.revoke(&[0]);
    ledger.assign(&[0]);
    queue.assign(ledger.changed().unwrap());
    for held in old {
        queue.add(held);
    }
    queue.add(held(&mut ledger, task(3, NOW)));
    assert_eq!(due(&mut queue, NOW), [3]);
    assert_eq!(queue.size(), (0, 0));
}

#[test]
fn what_the_tasks_occupy_is_counted_in_and_out_again() {
    let (mut queue, mut ledger) = queue();
    let mut large = task(1, NOW);
    large.url = "x".repeat(10_000);
    let alone = task(2, NOW).heap_bytes();
    queue.add(held(&mut ledger, large));
    let (_, first) = queue.size();
    assert!(first > 10_000, "{first} bytes");
    queue.add(held(&mut ledger, task(2, NOW)));
    queue.add(held(&mut ledger, task(3, NOW)));
    let (tasks, all) = queue.size();
    assert_eq!(tasks, 3);
    assert!(all >= first + 2 * alone, "{all} bytes");
    assert_eq!(due(&mut queue, NOW).len(), 3);
    assert_eq!(queue.size(), (0, 0));
}
