//! What the order of the tasks promises.

use contract::outcome::Reason;
use stream::subscription::Ledger;

use crate::fixtures::{NOW, held, task};

use super::*;

/// An empty queue, and the ledger of its only partition.
fn queue() -> (Queue, Ledger) {
    let mut queue = Queue::default();
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    queue.check_only(ledger.changed().unwrap());
    (queue, ledger)
}

/// When the tasks are read, unless a test says otherwise.
const READ: i64 = NOW - 100;
/// No sites.
const NOBODY: [i64; 0] = [];
/// Room for all tasks of a test.
const ROOM: usize = usize::MAX;

/// The sites of the tasks that are ready at this instant, in turn.
fn ready(queue: &mut Queue, now: i64) -> Vec<i64> {
    std::iter::from_fn(|| queue.take_ready(UnixMs(now)))
        .map(|held| held.task.site_id.0)
        .collect()
}

/// The site that goes first.
fn first(queue: &mut Queue, now: i64) -> Option<i64> {
    queue
        .take_ready(UnixMs(now))
        .map(|held| held.task.site_id.0)
}

/// The sites whose tasks are given up.
fn given_up(queue: &mut Queue, now: i64, bytes: usize) -> Vec<i64> {
    let given_up = queue.give_up(UnixMs(now), bytes, usize::MAX).into_iter();
    let sites = given_up.map(|finished| {
        assert_eq!(finished.result.reason, Some(Reason::Backlog));
        finished.result.check.site.0
    });
    sites.collect()
}

#[test]
fn tasks_come_in_the_order_they_are_due_and_none_before_its_instant() {
    let (mut queue, mut ledger) = queue();
    for (id, ahead) in (1..).zip([40, 10, 30, -5, 20]) {
        queue.add(held(&mut ledger, task(id, NOW + ahead)), UnixMs(READ));
    }
    assert_eq!(queue.first_ready(), Some(UnixMs(NOW - 5)));
    assert_eq!(ready(&mut queue, NOW), [4]);
    assert_eq!(ready(&mut queue, NOW + 29), [2, 5]);
    assert_eq!(queue.first_ready(), Some(UnixMs(NOW + 30)));
    assert_eq!(ready(&mut queue, NOW + 40), [3, 1]);
    assert_eq!(queue.first_ready(), None);
}

#[test]
fn at_one_instant_sites_come_by_their_number() {
    let (mut queue, mut ledger) = queue();
    let tasks = [7, 8, 9].map(|id| held(&mut ledger, task(id, NOW)));
    for held in tasks.into_iter().rev() {
        queue.add(held, UnixMs(READ));
    }
    assert_eq!(ready(&mut queue, NOW), [7, 8, 9]);
}

#[test]
fn tasks_of_assignments_that_are_over_are_dropped() {
    let (mut queue, mut ledger) = queue();
    let old = [1, 2].map(|id| held(&mut ledger, task(id, NOW)));
    ledger.revoke(&[0]);
    ledger.assign(&[0]);
    queue.check_only(ledger.changed().unwrap());
    for held in old {
        queue.add(held, UnixMs(READ));
    }
    queue.add(held(&mut ledger, task(3, NOW)), UnixMs(READ));
    assert_eq!(ready(&mut queue, NOW), [3]);
    assert_eq!(queue.size(), (0, 0));
}

#[test]
fn what_the_tasks_occupy_is_counted_in_and_out_again() {
    let (mut queue, mut ledger) = queue();
    let mut large = task(1, NOW);
    large.url = "x".repeat(10_000);
    let alone = task(2, NOW).heap_bytes();
    queue.add(held(&mut ledger, large), UnixMs(READ));
    let (_, first) = queue.size();
    assert!(first > 10_000, "{first} bytes");
    queue.add(held(&mut ledger, task(2, NOW)), UnixMs(READ));
    queue.add(held(&mut ledger, task(3, NOW)), UnixMs(READ));
    let (tasks, all) = queue.size();
    assert_eq!(tasks, 3);
    assert!(all >= first + 2 * alone, "{all} bytes");
    assert_eq!(ready(&mut queue, NOW).len(), 3);
    assert_eq!(queue.size(), (0, 0));
}

#[test]
fn a_task_that_is_read_late_is_ready_when_it_is_read_the_oldest_first() {
    let (mut queue, mut ledger) = queue();
    for (id, late) in [(1, 10_000), (2, 30_000), (3, 20_000)] {
        queue.add(held(&mut ledger, task(id, NOW - late)), UnixMs(NOW));
    }
    assert_eq!(given_up(&mut queue, NOW + 4_999, ROOM), NOBODY);
    assert_eq!(queue.first_ready(), Some(UnixMs(NOW)));
    assert_eq!(ready(&mut queue, NOW), [2, 3, 1]);
}

#[test]
fn once_the_oldest_has_waited_a_second_those_of_the_last_second_go_first() {
    let (mut queue, mut ledger) = queue();
    for (id, ahead) in [(1, 0), (2, 500), (3, 900), (4, 1_100)] {
        queue.add(held(&mut ledger, task(id, NOW + ahead)), UnixMs(READ));
    }
    assert_eq!(first(&mut queue, NOW + 999), Some(1));
    queue.add(held(&mut ledger, task(5, NOW)), UnixMs(READ));
    let mut recent = vec![first(&mut queue, NOW + 1_000).unwrap()];
    assert!([2, 3].contains(&recent[0]), "4 is not due yet: {recent:?}");
    recent.extend(ready(&mut queue, NOW + 1_100));
    assert_eq!(recent.pop(), Some(5));
    recent.sort_unstable();
    assert_eq!(recent, [2, 3, 4]);
}

#[test]
fn slots_that_come_free_in_a_rhythm_leave_nobody_out() {
    const SITES: i64 = 100;
    const SECONDS: i64 = 300;
    let (mut queue, mut ledger) = queue();
    let mut made = BTreeMap::new();
    // ten slots at once for half a second each: one of five checks can be made
    for (number, now) in (0..).zip((NOW..NOW + SECONDS * 1_000).step_by(10)) {
        queue.add(held(&mut ledger, task(number, now)), UnixMs(now));
        given_up(&mut queue, now, ROOM);
        if now % 500 == 0 {
            for number in (0..10).map_while(|_| first(&mut queue, now)) {
                *made.entry(number % SITES).or_insert(0) += 1;
            }
        }
    }
    let fair = SECONDS / 5;
    for site in 0..SITES {
        let made = made.get(&site).copied().unwrap_or(0);
        assert!(
            (fair / 3..fair * 2).contains(&made),
            "site {site}: {made} of {fair}"
        );
    }
}

#[test]
fn a_task_that_has_waited_five_seconds_or_expired_is_given_up() {
    let (mut queue, mut ledger) = queue();
    for (id, ahead) in [(1, 0), (2, 1), (3, 10_000)] {
        queue.add(held(&mut ledger, task(id, NOW + ahead)), UnixMs(READ));
    }
    let short = Task {
        expires_at: UnixMs(NOW + 100),
        ..task(5, NOW - 1)
    };
    queue.add(held(&mut ledger, short), UnixMs(READ));
    assert_eq!(given_up(&mut queue, NOW + 99, ROOM), NOBODY);
    assert_eq!(given_up(&mut queue, NOW + 100, ROOM), [5]);
    assert_eq!(given_up(&mut queue, NOW + 4_999, ROOM), NOBODY);
    assert_eq!(given_up(&mut queue, NOW + 5_000, ROOM), [1]);
    assert_eq!(given_up(&mut queue, NOW + 9_999, ROOM), [2]);
    assert_eq!(
        given_up(&mut queue, NOW + 9_999, 0),
        NOBODY,
        "the last is not due yet"
    );
    assert_eq!(queue.size().0, 1);
}

#[test]
fn a_full_queue_gives_up_its_oldest_tasks_that_are_due_as_many_as_it_must() {
    let (mut queue, mut ledger) = queue();
    for (id, ahead) in (1..).zip([0, 1, 2, 3, 60_000]) {
        queue.add(held(&mut ledger, task(id, NOW + ahead)), UnixMs(READ));
    }
    let (_, bytes) = queue.size();
    assert_eq!(
        given_up(&mut queue, NOW + 999, 0),
        NOBODY,
        "they may find a slot yet"
    );
    let now = NOW + 1_003;
    assert_eq!(given_up(&mut queue, now, bytes), NOBODY);
    assert_eq!(given_up(&mut queue, now, bytes - 1), [1]);
    assert_eq!(given_up(&mut queue, now, bytes / 2), [2, 3]);
    assert_eq!(
        queue.give_up(UnixMs(now), 0, 0).len(),
        0,
        "the recorder is full"
    );
    assert_eq!(given_up(&mut queue, now, 0), [4]);
}

#[test]
fn tasks_of_assignments_that_are_over_are_not_given_up_but_dropped() {
    let (mut queue, mut ledger) = queue();
    queue.add(held(&mut ledger, task(1, NOW)), UnixMs(READ));
    queue.check_only(BTreeMap::new());
    assert_eq!(given_up(&mut queue, NOW + 5_000, ROOM), NOBODY);
    assert_eq!(queue.size(), (0, 0));
}
