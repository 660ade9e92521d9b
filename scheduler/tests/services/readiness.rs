//! Readiness says what is so now.

use testbed::eventually;

use crate::bed::{Bed, PATIENCE};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_changes_is_not_ready_until_it_does() {
    let bed = Bed::new("read-only").await;
    let scheduler = bed.start();
    scheduler.missing(&[]).await;
    for (setting, lacks) in [("on", true), ("off", false)] {
        // Also for the sessions that there are: those of the services begin anew.
        bed.execute(&format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {setting}', current_database()); END $$"
        ))
        .await;
        bed.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'webmon-%'",
        )
        .await;
        let text = "database (the database takes no changes: it is read-only; turn default_transaction_read_only off";
        eventually(PATIENCE, "readiness tells of it", async || {
            let lacking = scheduler.lacking().join(", ");
            (lacking.contains(text) == lacks).then_some(())
        })
        .await;
    }
    scheduler.missing(&[]).await;
    scheduler.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_gone_is_missed_until_tasks_bring_it_back() {
    let bed = Bed::new("gone").await;
    let scheduler = bed.start();
    scheduler.missing(&[]).await;
    bed.topic.delete().await;
    let text = format!("kafka (topic {} does not exist", bed.topic.name());
    eventually(PATIENCE, &text, async || {
        scheduler.lacking().join(", ").contains(&text).then_some(())
    })
    .await;
    bed.insert("shop", 500).await;
    scheduler.missing(&[]).await;
    scheduler.stop().await;
}
