//! Checkers that share the work.

use crate::bed::{Bed, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn checkers_that_come_and_go_lose_nothing_and_record_each_check_once() {
    let bed = Bed::new("several").await;
    let first = bed.checker().await;
    let second = bed.checker().await;
    let now = bed.now().await;
    let tasks = (0..800).map(|id| bed.task(id, now + 10 * id, &format!("/ok/{id}")));
    bed.send(&tasks.collect::<Vec<_>>());
    let third = bed.checker().await;
    first.stopped().await;
    bed.rows(800, PATIENCE).await;
    assert_eq!(bed.verdicts("up").await, 800);
    bed.all_committed().await;
    let unasked = (0..800).filter(|id| bed.website.hits(&format!("/ok/{id}")) == 0);
    assert_eq!(unasked.count(), 0);
    for checker in [second, third] {
        assert!(checker.metric("webmon_checks_total") > 0.0);
        checker.stopped().await;
    }
}
