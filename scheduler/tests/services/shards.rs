//! A shard without its row is told: no turn can see that its sites are not scheduled.

use crate::bed::Bed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_without_its_row_is_missing_from_readiness_until_it_is_back() {
    let bed = Bed::new("shards").await;
    let scheduler = bed.start();
    scheduler.missing(&[]).await;
    bed.execute("CREATE TABLE kept AS SELECT * FROM schedule_shard WHERE id = 7; DELETE FROM schedule_shard WHERE id = 7")
        .await;
    scheduler.missing(&["schedule"]).await;
    let lacking = scheduler.lacking().join(", ");
    for part in ["shard 7,", "run `webmon repair`"] {
        assert!(lacking.contains(part), "{part}: {lacking}");
    }
    bed.execute("INSERT INTO schedule_shard SELECT * FROM kept")
        .await;
    scheduler.missing(&[]).await;
    scheduler.stop().await;
}
