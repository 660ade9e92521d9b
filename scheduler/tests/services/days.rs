//! Days of `check_result` are there before they are needed, and go when they have aged.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use testbed::eventually;

use crate::bed::{Bed, PATIENCE};

/// A day and gaps that are older than the retention, and their neighbours that are not.
const AGED: &str = "
    SELECT webmon_attach_day(((now() AT TIME ZONE 'UTC')::date - 32)),
        webmon_attach_day(((now() AT TIME ZONE 'UTC')::date - 29));
    INSERT INTO schedule_gap (shard, since, until) VALUES
        (1, now() - interval '40 days', now() - interval '31 days'),
        (2, now() - interval '40 days', now() - interval '29 days')";

/// The days, counted from today.
async fn days(bed: &Bed) -> Vec<i64> {
    let rows = bed
        .rows(
            "SELECT (to_date(right(relname, 8), 'YYYYMMDD') - (now() AT TIME ZONE 'UTC')::date)::bigint AS day
             FROM pg_inherits JOIN pg_class ON oid = inhrelid
             WHERE inhparent = 'check_result'::regclass ORDER BY day",
        )
        .await;
    let day = |row: &sea_orm::QueryResult| row.try_get_by_index(0).unwrap();
    rows.iter().map(day).collect()
}

/// Waits until the aged gap is gone: the last thing that is done about what has aged.
async fn aged_is_gone(bed: &Bed) {
    eventually(PATIENCE, "the aged gap is deleted", async || {
        let aged = bed.number("SELECT count(*) FROM schedule_gap WHERE shard = 1");
        (aged.await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_made_at_start_from_yesterday_to_the_day_after_tomorrow() {
    let bed = Bed::new("days").await;
    assert!(days(&bed).await.is_empty());
    let scheduler = bed.start();
    eventually(PATIENCE, "the days are made", async || {
        (days(&bed).await.len() == 4).then_some(())
    })
    .await;
    scheduler.stop().await;
    assert_eq!(days(&bed).await, [-1, 0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_older_than_the_retention_goes_and_the_rest_stays() {
    let bed = Bed::new("aged").await;
    bed.execute(AGED).await;
    let scheduler = bed.start();
    aged_is_gone(&bed).await;
    scheduler.stop().await;
    assert_eq!(days(&bed).await, [-29, -1, 0, 1, 2]);
    assert_eq!(bed.number("SELECT count(*) FROM schedule_gap").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_read_stays_for_now_and_inserts_wait_a_moment_at_most() {
    let bed = Bed::new("in-use").await;
    bed.execute(AGED).await;
    let (other, inserts) = (bed.connect().await, bed.connect().await);
    let reader = other.begin().await.unwrap();
    reader
        .execute_unprepared("SELECT count(*) FROM check_result")
        .await
        .unwrap();
    let scheduler = bed.start();
    let inserting = async {
        let mut longest = Duration::ZERO;
        loop {
            let started = Instant::now();
            let insert = "INSERT INTO check_result (site_id, scheduled_at, outcome)
                          SELECT 1, now() - interval '29 days', 'up' ON CONFLICT DO NOTHING";
            inserts.execute_unprepared(insert).await.unwrap();
            longest = longest.max(started.elapsed());
            tokio::task::yield_now().await;
            if bed
                .number("SELECT count(*) FROM schedule_gap WHERE shard = 1")
                .await
                == 0
            {
                return longest;
            }
        }
    };
    let longest = tokio::time::timeout(PATIENCE, inserting)
        .await
        .expect("nobody waits for the reader");
    assert!(
        longest < Duration::from_secs(2),
        "an insert waited for {longest:?}"
    );
    scheduler.stop().await;
    assert_eq!(days(&bed).await, [-32, -29, -1, 0, 1, 2]);

    reader.commit().await.unwrap();
    let scheduler = bed.start();
    eventually(PATIENCE, "the day is dropped", async || {
        (days(&bed).await == [-29, -1, 0, 1, 2]).then_some(())
    })
    .await;
    scheduler.stop().await;
}
