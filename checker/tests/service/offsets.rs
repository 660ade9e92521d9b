//! What is committed, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::instant::UnixMs;
use contract::task::Task;
use rdkafka::consumer::Consumer as _;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use testbed::eventually;

use crate::bed::{Bed, PARTITIONS, PATIENCE};

/// The sites whose tasks are committed, whether or not there is a row.
async fn committed_sites(bed: &Bed) -> BTreeSet<i64> {
    let observer = Bed::observer();
    let committed = bed.committed(&observer).await;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions
            .add_partition_offset(bed.topic(), partition, Offset::Beginning)
            .unwrap();
    }
    observer.assign(&partitions).unwrap();
    let now = bed.now().await;
    let mut sites = BTreeSet::new();
    let mut ended = 0;
    while ended < PARTITIONS {
        match observer.poll(PATIENCE).unwrap() {
            Ok(message) if message.offset() < committed[&message.partition()] => {
                let task = Task::decode(message.payload().unwrap(), UnixMs(now), bed.installation)
                    .unwrap();
                sites.insert(task.site_id.0);
            }
            Ok(_) => {}
            Err(_) => ended += 1,
        }
    }
    sites
}

/// The sites that have a row.
async fn recorded_sites(bed: &Bed, of: impl IntoIterator<Item = i64>) -> BTreeSet<i64> {
    let mut sites = BTreeSet::new();
    for site in of {
        let sql = format!("SELECT count(*) FROM check_result WHERE site_id = {site}");
        if bed.number(&sql).await > 0 {
            sites.insert(site);
        }
    }
    sites
}

#[tokio::test(flavor = "multi_thread")]
async fn no_task_without_a_row_is_ever_committed() {
    let bed = Bed::new("hanging").await;
    let first = bed.checker().await;
    let now = bed.now().await;
    // Some hang, some are done at once, some are still to come when the checker stops.
    let hanging = (0..40).map(|id| bed.task(id, now, &format!("/slow/4000/{id}")));
    let quick = (40..80).map(|id| bed.task(id, now, &format!("/ok/{id}")));
    let later = (80..120).map(|id| bed.task(id, now + 6_000, &format!("/ok/{id}")));
    bed.send(&hanging.chain(quick).chain(later).collect::<Vec<_>>());
    eventually(PATIENCE, "all probes are under way", async || {
        (bed.website.total_hits() == 80).then_some(())
    })
    .await;
    bed.rows(40, PATIENCE).await;
    first.ask_to_stop();
    let committed = committed_sites(&bed).await;
    let recorded = recorded_sites(&bed, committed.clone()).await;
    assert_eq!(committed, recorded);
    first.stopped().await;
    bed.rows(80, PATIENCE).await;

    let second = bed.checker().await;
    bed.rows(120, PATIENCE).await;
    assert_eq!(bed.verdicts("up").await, 120);
    bed.all_committed().await;
    assert_eq!(bed.website.total_hits(), 120);
    second.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_commits_what_is_recorded() {
    let bed = Bed::new("stop").await;
    let checker = bed.checker().await;
    let now = bed.now().await;
    bed.send(
        &(0..100)
            .map(|id| bed.task(id, now, "/ok/1"))
            .collect::<Vec<_>>(),
    );
    bed.rows(100, PATIENCE).await;
    eventually(PATIENCE, "the recorder knows of the rows", async || {
        (checker.metric("webmon_results_recorded_total") > 99.0).then_some(())
    })
    .await;
    // Most likely before the commit of every second.
    checker.stopped().await;
    let observer = Bed::observer();
    let (committed, ends) = (bed.committed(&observer).await, bed.ends(&observer));
    let open: i64 = ends.iter().map(|(part, end)| end - committed[part]).sum();
    assert_eq!(open, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checker_that_stops_leaves_its_partitions_to_others_at_once() {
    let bed = Bed::new("leave").await;
    let (first, second) = (bed.checker().await, bed.checker().await);
    let now = bed.now().await;
    bed.send(
        &(0..64)
            .map(|id| bed.task(id, now, "/ok/1"))
            .collect::<Vec<_>>(),
    );
    bed.rows(64, PATIENCE).await;
    first.stopped().await;
    let now = bed.now().await;
    bed.send(
        &(0..64)
            .map(|id| bed.task(id, now, "/ok/2"))
            .collect::<Vec<_>>(),
    );
    // Partitions that are not given back are orphaned for 6 s, the session timeout.
    bed.rows(128, Duration::from_secs(4)).await;
    second.stopped().await;
}
