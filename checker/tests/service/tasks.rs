//! What becomes of a task.

use contract::instant::UnixMs;
use contract::task::Task;

use crate::bed::{Bed, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn each_task_is_probed_once_when_it_is_due_and_becomes_a_row() {
    let bed = Bed::new("rows").await;
    let checker = bed.checker().await;
    let now = bed.now().await;
    let task = |id: i64| {
        let kind = if id % 10 == 0 { "fail" } else { "ok" };
        bed.task(id, now + 500 + 7 * id, &format!("/{kind}/{id}"))
    };
    let tasks: Vec<_> = (0..200).map(task).collect();
    bed.send(&tasks);
    bed.rows(200, PATIENCE).await;
    assert_eq!(bed.verdicts("up").await, 180);
    assert_eq!(bed.verdicts("down/status").await, 20);
    let early = "SELECT count(*) FROM check_result WHERE started_at < scheduled_at";
    assert_eq!(bed.number(early).await, 0);
    assert_eq!(bed.website.hits("/ok/7"), 1);
    assert_eq!(bed.website.total_hits(), 200);
    assert!((checker.metric("webmon_checks_total") - 200.0).abs() < 0.1);
    bed.all_committed().await;
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_read_after_it_expired_is_missed_and_never_probed() {
    let bed = Bed::new("late").await;
    let now = bed.now().await;
    let late = |id: i64| Task {
        expires_at: UnixMs(now - 5_000),
        timeout_ms: 5_000,
        ..bed.task(id, now - 10_000, "/ok/late")
    };
    bed.send(&(1..=20).map(late).collect::<Vec<_>>());
    let checker = bed.checker().await;
    bed.rows(20, PATIENCE).await;
    assert_eq!(bed.verdicts("missed/late").await, 20);
    let measured = "SELECT count(started_at) + count(total_us) FROM check_result";
    assert_eq!(bed.number(measured).await, 0);
    bed.all_committed().await;
    assert_eq!(bed.website.total_hits(), 0);
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_task_that_has_a_row_is_not_probed_again() {
    let bed = Bed::new("repeats").await;
    let at = bed.now().await - 3_000;
    bed.execute(&format!(
        "SELECT webmon_make_day((to_timestamp({at} / 1000.0) AT TIME ZONE 'UTC')::date);
         INSERT INTO check_result (site_id, scheduled_at, outcome, body_bytes)
         VALUES (1, timestamptz 'epoch' + {at} * interval '1 millisecond', 'up', 4711)"
    ))
    .await;
    let recorded = bed.task(1, at, "/ok/recorded");
    let new = bed.task(2, at, "/ok/new");
    bed.send([&recorded, &new]);
    let checker = bed.checker().await;
    bed.rows(2, PATIENCE).await;
    bed.all_committed().await;
    assert_eq!(bed.website.hits("/ok/recorded"), 0);
    assert_eq!(bed.website.hits("/ok/new"), 1);
    let kept = "SELECT body_bytes FROM check_result WHERE site_id = 1";
    assert_eq!(bed.number(kept).await, 4_711);
    checker.stopped().await;
}
