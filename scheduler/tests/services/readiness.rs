//! Readiness says what is so now.

use crate::bed::Bed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_changes_under_a_running_scheduler_is_missed_until_it_is_back() {
    let bed = Bed::new("schema").await;
    let scheduler = bed.start();
    scheduler.missing(&[]).await;
    bed.execute("INSERT INTO seaql_migrations VALUES ('m9999_from_the_future', 1)")
        .await;
    scheduler.missing(&["schema"]).await;
    bed.execute("DELETE FROM seaql_migrations WHERE version = 'm9999_from_the_future'")
        .await;
    scheduler.missing(&[]).await;
    scheduler.stop().await;
}
