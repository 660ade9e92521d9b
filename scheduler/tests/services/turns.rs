//! What is inserted is scheduled: every instant, and no other.

use crate::bed::Bed;
use contract::check::SiteId;
use testbed::eventually;

/// Sites of several intervals, in one plain statement.
const SITES: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'shop ' || n, 'http://shop-' || n || '.example/',
        (ARRAY[100, 250, 1000, 1700])[1 + n % 4], 100
    FROM generate_series(1, 120) AS n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_insert_is_scheduled_and_every_instant_once() {
    let bed = Bed::new("insert").await;
    bed.execute(SITES).await;
    let scheduler = bed.start();
    bed.scheduled_for(4_000).await;
    scheduler.stop().await;
    let tasks = bed.tasks().await;
    bed.assert_law(&tasks, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_says_all_that_the_row_says() {
    let bed = Bed::new("row").await;
    bed.execute(
        r#"INSERT INTO site (name, url, interval_ms, timeout_ms, request, expect) VALUES
           ('ä "shop"', 'https://shop.example/a?b', 300, 200, '{"method": "HEAD"}', '{"status": [204]}')"#,
    )
    .await;
    let scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    scheduler.stop().await;
    let site = &bed.sites().await[0];
    let tasks = bed.tasks().await;
    assert!(!tasks.is_empty());
    for task in tasks {
        assert_eq!(
            (task.v, task.site_id, &task.name),
            (1, SiteId(site.id), &site.name)
        );
        assert_eq!(
            (task.url.as_str(), task.timeout_ms),
            ("https://shop.example/a?b", 200)
        );
        assert_eq!(task.request.get(), r#"{"method": "HEAD"}"#);
        assert_eq!(task.expect.get(), r#"{"status": [204]}"#);
        assert_eq!(task.expires_at, task.scheduled_at.plus_ms(300));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_schedulers_together_miss_nothing_and_add_nothing() {
    let bed = Bed::new("three").await;
    bed.execute(SITES).await;
    let mut schedulers = [bed.start(), bed.start(), bed.start()];
    bed.scheduled_for(5_000).await;
    for scheduler in &mut schedulers {
        // Each had its share: none was kept out by the others.
        scheduler.counted("webmon_tasks_produced_total", 1).await;
    }
    for scheduler in schedulers {
        scheduler.stop().await;
    }
    bed.assert_law(&bed.tasks().await, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_sent_before_they_are_due() {
    let bed = Bed::new("ahead").await;
    bed.execute(SITES).await;
    let scheduler = bed.start();
    bed.stamped().await;
    let least = bed
        .config
        .settings
        .horizon
        .saturating_sub(bed.config.settings.turn);
    let least = i64::try_from(least.as_millis()).unwrap();
    // On a busy machine a turn may be late, but it does not stay so.
    let ahead =
        "SELECT (extract(epoch FROM min(scheduled_until) - clock_timestamp()) * 1000)::bigint
                 FROM schedule_shard";
    for _ in 0..3 {
        eventually(crate::bed::PATIENCE, "all shards lie ahead", async || {
            (bed.number(ahead).await > least - 500).then_some(())
        })
        .await;
        bed.scheduled_for(1_500).await;
    }
    scheduler.stop().await;
}
