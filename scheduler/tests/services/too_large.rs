//! A task that the topic does not take for its size is its site's own trouble, and no other site's.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use testbed::eventually;

use crate::bed::{Bed, PATIENCE, Site, instants};
use crate::downtime::gaps;
use crate::law;
use crate::one_bad_row::invalid;

/// Sites in all shards that are due often.
const SITES: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms)
    SELECT 'shop ' || n, 'http://shop-' || n || '.example/', 500, 100 FROM generate_series(1, 300) AS n";

/// So many digits of which none can be told from those before it.
fn noise(digits: usize) -> String {
    let mut noise = String::new();
    let mut number = 0_u64;
    while noise.len() < digits {
        for byte in Md5::digest(number.to_be_bytes()) {
            write!(noise, "{byte:02x}").unwrap();
        }
        number += 1;
    }
    noise
}

/// Adds a site whose task carries this.
async fn add(bed: &Bed, name: &str, body: &str) -> Site {
    bed.execute(&format!(
        "INSERT INTO site (name, url, interval_ms, timeout_ms, request)
         VALUES ('{name}', 'http://big.example/', 500, 100, jsonb_build_object('method', 'POST', 'body', '{body}'))"
    ))
    .await;
    bed.site(name).await
}

/// Asserts that each instant of a site after `since` was sent, or was refused, as it should have been, or lies in a
/// gap of its shard.
async fn assert_all(bed: &Bed, since: i64, refused: &[&str]) {
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    let gaps = gaps(bed).await;
    for site in bed.sites().await {
        let shard = law::shard(&site.name);
        let sent: BTreeSet<_> = instants(site.id, &tasks).into_iter().collect();
        let marked: BTreeSet<_> = invalid(bed, site.id).await.into_iter().collect();
        let (right, wrong) = if refused.contains(&site.name.as_str()) {
            (&marked, &sent)
        } else {
            (&sent, &marked)
        };
        assert!(wrong.is_empty(), "{site:?}: {wrong:?}");
        let due = site.due((since.max(site.scheduled_from.unwrap()), until[&shard]));
        assert!(!due.is_empty(), "{site:?}");
        let lacking: Vec<_> = due
            .iter()
            .filter(|at| !right.contains(at) && !gaps.iter().any(|gap| gap.holds(shard, **at)))
            .collect();
        assert!(lacking.is_empty(), "{site:?} lacks {lacking:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_over_the_topics_limit_is_inconclusive_and_its_neighbours_go_on() {
    let bed = Bed::new("too-large").await;
    bed.topic.create(2, &[("max.message.bytes", "8192")]).await;
    bed.execute(SITES).await;
    let mut scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    add(&bed, "noise", &noise(20_000)).await;
    // As large, and small once it is compressed: the topic takes it.
    add(&bed, "quiet", &"x".repeat(20_000)).await;
    bed.scheduled_for(3_000).await;
    scheduler.counted("webmon_tasks_invalid_total", 3).await;
    assert_eq!(scheduler.counter("webmon_turns_failed_total").await, 0);
    scheduler.missing(&[]).await;
    scheduler.stop().await;
    assert_all(&bed, 0, &["noise"]).await;
    let detail = "SELECT count(*) FROM check_result WHERE detail LIKE
        '20% bytes are more than topic % takes (its max.message.bytes is 8192): make the request smaller, or raise %'";
    assert!(bed.number(detail).await >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_takes_less_than_before_stops_no_shard() {
    let bed = Bed::new("less").await;
    bed.topic.create(1, &[]).await;
    bed.execute(SITES).await;
    add(&bed, "noise", &noise(3_000)).await;
    let mut scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    bed.topic.alter(&[("max.message.bytes", "1500")]).await;
    // Requests of several tasks were larger; the next ones are not.
    scheduler.counted("webmon_turns_failed_total", 1).await;
    scheduler.counted("webmon_tasks_invalid_total", 1).await;
    let since = bed.now().await;
    bed.scheduled_for(3_000).await;
    scheduler.missing(&[]).await;
    let failed = scheduler.counter("webmon_turns_failed_total").await;
    bed.scheduled_for(3_000).await;
    assert_eq!(scheduler.counter("webmon_turns_failed_total").await, failed);
    scheduler.stop().await;
    let noise = bed.site("noise").await;
    let later = invalid(&bed, noise.id).await;
    assert!(
        later.iter().filter(|at| **at > since).count() > 3,
        "{later:?}"
    );
    for site in bed.sites().await.iter().filter(|site| site.id != noise.id) {
        assert!(invalid(&bed, site.id).await.is_empty(), "{site:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lag_is_that_of_the_shard_that_stands_still_and_readiness_tells_why() {
    let bed = Bed::new("stands-still").await;
    bed.execute(SITES).await;
    let site = bed.site("shop 1").await;
    let shard = law::shard(&site.name);
    // All lie behind, and of one the turns fail.
    bed.execute(&format!(
        "UPDATE schedule_shard SET scheduled_until = now() - interval '40 s';
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no such luck'; END $$;
         CREATE TRIGGER fail BEFORE UPDATE ON schedule_shard FOR EACH ROW WHEN (NEW.id = {shard}) EXECUTE FUNCTION fail()"
    ))
    .await;
    let mut scheduler = bed.start();
    scheduler.counted("webmon_turns_failed_total", 2).await;
    let lacks = eventually(PATIENCE, "it is told why", async || {
        let lacking = scheduler.lacking().join(", ");
        let told = lacking.contains("no such luck") && lacking.contains(&format!("shard {shard} "));
        told.then_some(lacking)
    })
    .await;
    assert!(
        lacks.starts_with("schedule (the shard furthest behind is "),
        "{lacks}"
    );
    assert!(scheduler.gauge("webmon_schedule_lag_seconds") > 35.0);
    bed.execute("DROP TRIGGER fail ON schedule_shard").await;
    scheduler.missing(&[]).await;
    eventually(PATIENCE, "there is no lag", async || {
        (scheduler.gauge("webmon_schedule_lag_seconds") < 1.0).then_some(())
    })
    .await;
    scheduler.stop().await;
}
