//! Shards that a clock which was ahead has left in the future are scheduled again, and it is told.

use contract::task::Task;
use testbed::eventually;

use crate::bed::{Bed, PATIENCE, Running, instants};
use crate::downtime::gaps;
use crate::law::{self, name_in};

/// How many shards lie further ahead than any horizon.
const AHEAD: &str = "SELECT count(*) FROM schedule_shard
    WHERE greatest(scheduled_until, reconciled_until) > now() + interval '15 s'";

/// A bed with two sites in each of two shards.
async fn bed(purpose: &str) -> Bed {
    let bed = Bed::new(purpose).await;
    for shard in [7, 8] {
        bed.insert(&name_in(shard, "second"), 1_000).await;
        bed.insert(&name_in(shard, "half"), 500).await;
    }
    bed
}

/// Waits until no shard is ahead, and all is scheduled for a while; returns from when on nothing may be missing.
async fn scheduled_again(bed: &Bed, scheduler: &Running) -> i64 {
    eventually(PATIENCE, "no shard lies ahead", async || {
        (bed.number(AHEAD).await == 0).then_some(())
    })
    .await;
    let since = bed.now().await;
    bed.scheduled_for(3_000).await;
    scheduler.missing(&[]).await;
    since
}

/// Asserts that each instant after `since` is on the topic, up to where the shards are scheduled.
async fn assert_whole(bed: &Bed, tasks: &[Task], since: i64) {
    let until = bed.scheduled_until().await;
    for site in bed.sites().await {
        let found = instants(site.id, tasks);
        let shard = law::shard(&site.name);
        let due = site.due((since, until[&shard]));
        assert!(due.len() > 2, "{site:?}");
        let lacking: Vec<_> = due.iter().filter(|at| !found.contains(at)).collect();
        assert!(lacking.is_empty(), "{site:?} lacks {lacking:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_lies_a_day_ahead_is_told_set_back_and_scheduled() {
    let bed = bed("day-ahead").await;
    let mut scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    let day = "UPDATE schedule_shard SET scheduled_until = now() + interval '1 day' WHERE id = 7";
    assert_eq!(bed.execute(day).await, 1);
    scheduler.missing(&["schedule"]).await;
    let since = scheduled_again(&bed, &scheduler).await;
    assert_eq!(scheduler.counter("webmon_shards_set_back_total").await, 1);
    scheduler.stop().await;
    assert_whole(&bed, &bed.tasks().await, since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_a_wrong_clock_has_left_ahead_is_right_again_beside_three_schedulers() {
    let bed = bed("all-ahead").await;
    let first = bed.start();
    bed.scheduled_for(1_000).await;
    first.stop().await;
    // What a day of a wrong clock leaves: shards and stamps that lie ahead, and a gap up to there.
    bed.execute(
        "UPDATE site SET scheduled_from = date_trunc('milliseconds', now()) + interval '1 day';
         INSERT INTO schedule_gap (shard, since, until)
             SELECT id, scheduled_until, date_trunc('milliseconds', now()) + interval '1 day' FROM schedule_shard;
         INSERT INTO schedule_gap (shard, since, until) VALUES (7, now() + interval '1 hour', now() + interval '2 hours');
         UPDATE schedule_shard SET scheduled_until = now() + interval '1 day', reconciled_until = now() + interval '1 day'",
    )
    .await;
    let mut schedulers = [bed.start(), bed.start(), bed.start()];
    let since = scheduled_again(&bed, &schedulers[0]).await;
    let mut set_back = 0;
    for scheduler in &mut schedulers {
        set_back += scheduler.counter("webmon_shards_set_back_total").await;
    }
    assert_eq!(set_back, 64, "each shard once");
    eventually(PATIENCE, "no stamp lies ahead", async || {
        let ahead = "SELECT count(*) FROM site WHERE scheduled_from > now() + interval '15 s'";
        (bed.number(ahead).await == 0).then_some(())
    })
    .await;
    for scheduler in schedulers {
        scheduler.stop().await;
    }
    let now = bed.now().await;
    assert!(gaps(&bed).await.iter().all(|gap| gap.until <= now));
    assert_whole(&bed, &bed.tasks().await, since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instants_that_only_postgresql_knows_stop_no_shard() {
    let bed = bed("infinity").await;
    bed.execute(
        "UPDATE schedule_shard SET scheduled_until = 'infinity' WHERE id = 7;
         UPDATE schedule_shard SET scheduled_until = '-infinity' WHERE id = 8;
         UPDATE schedule_shard SET reconciled_until = 'infinity' WHERE id = 9",
    )
    .await;
    let scheduler = bed.start();
    let since = scheduled_again(&bed, &scheduler).await;
    scheduler.stop().await;
    assert_whole(&bed, &bed.tasks().await, since).await;
}
