//! What the hold promises to the threads that wait.

use std::{
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use contract::task::Task;
use stream::subscription::Ledger;

use crate::fixtures::{GLIMPSE, NOW, PATIENCE, held, task, wait_until};

use super::*;

/// A hold on a clock that shows [`NOW`], and the ledger of its only partition.
fn hold() -> (Arc<Hold>, Ledger) {
    let hold = Hold::new(Clock::fixed(UnixMs(NOW)));
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    hold.check_only(ledger.changed().unwrap());
    (Arc::new(hold), ledger)
}

/// A thread that waits for tasks, says which it was given, and is away until it is called back.
struct Waiter {
    /// The sites of its tasks; nothing more at the end.
    given: Receiver<i64>,
    /// Calls it back.
    back: SyncSender<()>,
}

impl Waiter {
    /// Starts one.
    fn start(hold: &Arc<Hold>) -> Self {
        let hold = Arc::clone(hold);
        let (said, given) = mpsc::sync_channel(1);
        let (back, called) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let follower = Arc::default();
            while let Some(held) = hold.next(&follower) {
                assert!(hold.clock.now_ms() >= held.task.scheduled_at);
                if said.send(held.task.site_id.0).is_err() || called.recv().is_err() {
                    return;
                }
            }
        });
        Self { given, back }
    }

    /// The site of the task that it is given.
    fn task(&self) -> i64 {
        self.given.recv_timeout(PATIENCE).unwrap()
    }
}

/// So many threads; the one that waited least is the last.
fn waiters(hold: &Arc<Hold>, count: usize) -> Vec<Waiter> {
    let waiters = (1..=count).map(|number| {
        let waiter = Waiter::start(hold);
        wait_until("the thread waits", || waiting(hold) == number);
        waiter
    });
    waiters.collect()
}

/// How many threads wait.
fn waiting(hold: &Hold) -> usize {
    let state = hold.lock();
    state.leaders.len() + state.followers.len()
}

/// Puts a task.
fn put(hold: &Hold, ledger: &mut Ledger, task: Task) {
    hold.put([held(ledger, task)]);
}

#[test]
fn a_task_is_given_out_at_its_instant() {
    let (hold, mut ledger) = hold();
    let waiter = Waiter::start(&hold);
    let instants = [40, 10, 30, -5, 20];
    let tasks = (1..).zip(instants).map(|(id, ahead)| task(id, NOW + ahead));
    hold.put(tasks.map(|task| held(&mut ledger, task)));
    for id in [4, 2, 5, 3, 1] {
        assert_eq!(waiter.task(), id);
        waiter.back.send(()).unwrap();
    }
}

#[test]
fn all_tasks_that_are_due_are_given_out_at_once_and_one_thread_leads() {
    let (hold, mut ledger) = hold();
    let waiters = waiters(&hold, 4);
    hold.put((1..=3).map(|id| held(&mut ledger, task(id, NOW))));
    wait_until("one waits", || waiting(&hold) == 1);
    assert_eq!(hold.size(), (0, 0));
    put(&hold, &mut ledger, task(4, NOW));
    let mut given: Vec<_> = waiters.iter().map(Waiter::task).collect();
    given.sort_unstable();
    assert_eq!(given, [1, 2, 3, 4]);
    assert_eq!(waiting(&hold), 0);
}

#[test]
fn the_follower_that_waited_least_is_woken_first() {
    let (hold, mut ledger) = hold();
    let waiters = waiters(&hold, 4);
    // the first leads; it takes one, the last of the others is given one, the one before is promoted
    hold.put([1, 2].map(|id| held(&mut ledger, task(id, NOW))));
    assert_eq!((waiters[0].task(), waiters[3].task()), (1, 2));
    put(&hold, &mut ledger, task(3, NOW));
    assert_eq!(waiters[2].task(), 3);
    put(&hold, &mut ledger, task(4, NOW));
    assert_eq!(waiters[1].task(), 4);
}

#[test]
fn a_task_waits_while_all_are_away_and_goes_to_the_first_who_is_back() {
    let (hold, mut ledger) = hold();
    let waiters = waiters(&hold, 2);
    hold.put((1..=3).map(|id| held(&mut ledger, task(id, NOW))));
    assert_eq!(waiters[0].task() + waiters[1].task(), 3);
    assert_eq!((waiting(&hold), hold.size().0), (0, 1));
    assert!(waiters[1].given.recv_timeout(GLIMPSE).is_err());
    waiters[1].back.send(()).unwrap();
    assert_eq!(waiters[1].task(), 3);
}

#[test]
fn the_end_wakes_all_that_wait_and_nothing_is_given_out_any_more() {
    let (hold, mut ledger) = hold();
    let waiters = waiters(&hold, 3);
    hold.close();
    for waiter in waiters {
        let end = waiter.given.recv_timeout(PATIENCE);
        assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
    }
    put(&hold, &mut ledger, task(1, NOW));
    assert!(hold.next(&Arc::default()).is_none());
}

#[test]
fn a_task_that_is_due_earlier_wakes_the_leader() {
    let (hold, mut ledger) = hold();
    put(&hold, &mut ledger, task(1, NOW + 3_600_000));
    let waiter = Waiter::start(&hold);
    for id in 2..50 {
        wait_until("it leads", || waiting(&hold) == 1);
        let now = hold.clock.now_ms();
        put(&hold, &mut ledger, task(id, now.0 + 1));
        assert_eq!(waiter.task(), id);
        waiter.back.send(()).unwrap();
    }
}

/// Puts so many tasks that are due an hour later, and another each hour; returns their instants.
fn put_hourly(hold: &Hold, ledger: &mut Ledger, count: i64) -> Vec<UnixMs> {
    let instants = (1..=count).map(|hour| NOW + hour * 3_600_000);
    let tasks = (1..).zip(instants.clone()).map(|(id, due)| task(id, due));
    hold.put(tasks.map(|task| held(ledger, task)));
    instants.map(UnixMs).collect()
}

#[test]
fn each_of_the_next_tasks_has_a_leader_of_its_own() {
    let (hold, mut ledger) = hold();
    let due = put_hourly(&hold, &mut ledger, 20);
    let _waiters = waiters(&hold, MOST_LEADERS + 2);
    let state = hold.lock();
    assert_eq!(state.leaders, due[..MOST_LEADERS]);
    assert_eq!(state.followers.len(), 2);
}

#[test]
fn the_thread_that_is_left_leads_for_the_first() {
    let (hold, mut ledger) = hold();
    let due = put_hourly(&hold, &mut ledger, 2);
    let _waiters = waiters(&hold, 2);
    assert_eq!(hold.lock().leaders, due);
    put(&hold, &mut ledger, task(3, NOW));
    wait_until("one goes, and the other leads", || {
        hold.lock().leaders == due[..1]
    });
}

#[test]
fn tasks_that_a_leader_wakes_for_are_left_to_it() {
    let (hold, mut ledger) = hold();
    hold.put((1..=3).map(|id| held(&mut ledger, task(id, NOW))));
    let mut state = hold.lock();
    state.followers = iter::repeat_with(Arc::default).take(3).collect();
    state.leaders = vec![UnixMs(NOW), UnixMs(NOW + 1)];
    let calls = state.call_followers(UnixMs(NOW));
    let sites = calls.iter().map(|(_, call)| match call {
        Call::Task(given) => given.task.site_id.0,
        call => panic!("{call:?}"),
    });
    assert_eq!(sites.collect::<Vec<_>>(), [1, 2]);
    assert_eq!((state.queue.size().0, state.followers.len()), (1, 1));
}

#[test]
fn no_task_is_lost_or_given_out_twice_however_threads_come_and_go() {
    const TASKS: i64 = 20_000;
    let (hold, mut ledger) = hold();
    let (said, heard) = mpsc::sync_channel(20_000);
    for _ in 0..16 {
        let (hold, said) = (Arc::clone(&hold), said.clone());
        thread::spawn(move || {
            let follower = Arc::default();
            while let Some(held) = hold.next(&follower) {
                if said.send(held.task.site_id.0).is_err() {
                    return;
                }
            }
        });
    }
    for id in 0..TASKS {
        let now = hold.clock.now_ms();
        put(&hold, &mut ledger, task(id, now.0 + id % 3));
    }
    let given = (0..TASKS).map(|_| heard.recv_timeout(PATIENCE).unwrap());
    let given: std::collections::BTreeSet<_> = given.collect();
    assert_eq!(given.len(), 20_000);
    wait_until("all wait", || waiting(&hold) == 16);
    hold.close();
}
