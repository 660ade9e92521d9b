//! What no scheduler ran for: recorded as a gap of each shard that has sites, and no more than that.

use sea_orm::QueryResult;

use crate::bed::{Bed, instants};
use crate::law::{self, name_in};

/// A row of `schedule_gap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// `schedule_gap.shard`.
    pub(crate) shard: i64,
    /// `schedule_gap.since`, in milliseconds since the epoch.
    pub(crate) since: i64,
    /// `schedule_gap.until`, likewise.
    pub(crate) until: i64,
}

impl Gap {
    /// Whether it covers an instant of a shard.
    pub(crate) fn holds(self, shard: i64, at: i64) -> bool {
        self.shard == shard && self.since < at && at <= self.until
    }
}

/// All gaps.
pub(crate) async fn gaps(bed: &Bed) -> Vec<Gap> {
    let rows = bed
        .rows(
            "SELECT shard::bigint, (extract(epoch FROM since) * 1000)::bigint,
                 (extract(epoch FROM until) * 1000)::bigint
             FROM schedule_gap ORDER BY shard, since",
        )
        .await;
    let number = |row: &QueryResult, index| row.try_get_by_index(index).unwrap();
    let gap = |row: &QueryResult| Gap {
        shard: number(row, 0),
        since: number(row, 1),
        until: number(row, 2),
    };
    rows.iter().map(gap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_downtime_is_a_gap_per_shard_and_each_site_s_latest_instant_is_scheduled() {
    let bed = Bed::new("downtime").await;
    // In one shard two intervals, in another one, in a third one that reaches back further than the downtime.
    let sites = [
        (name_in(7, "second"), 1_000),
        (name_in(7, "minute"), 60_000),
        (name_in(8, "five"), 5_000),
        (name_in(9, "hour"), 3_600_000),
    ];
    for (name, interval_ms) in &sites {
        bed.insert(name, *interval_ms).await;
    }
    bed.execute(
        "UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '2 hours');
         UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now() - interval '10 minutes')",
    )
    .await;
    let (down, started) = (bed.scheduled_until().await, bed.now().await);
    let scheduler = bed.start();
    bed.scheduled_for(3_000).await;
    let ended = bed.now().await;
    scheduler.stop().await;

    let gaps = gaps(&bed).await;
    let shards: Vec<_> = gaps.iter().map(|gap| gap.shard).collect();
    assert_eq!(shards, [7, 8]);
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    for (name, interval_ms) in &sites {
        let shard = law::shard(name);
        let mut since = down[&shard];
        if let Some(gap) = gaps.iter().find(|gap| gap.shard == shard) {
            assert_eq!(gap.since, since);
            let shortest = if shard == 7 { 1_000 } else { 5_000 };
            let turn = gap.until + shortest;
            assert!(
                (started..=ended).contains(&turn),
                "{gap:?}: {started} to {ended}"
            );
            // Exactly the latest instant before the turn, and those after it.
            since = since.max(turn - interval_ms);
        }
        let site = bed.site(name).await;
        let mut found = instants(site.id, &tasks);
        found.sort_unstable();
        let expected: Vec<_> = site.due((since, until[&shard])).into_iter().collect();
        assert_eq!(found, expected, "{site:?} {gaps:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_within_the_shortest_interval_leaves_no_gap_and_no_hole() {
    let bed = Bed::new("restart").await;
    for name in ["a", "b", "c"] {
        bed.insert(name, 60_000).await;
    }
    bed.insert("d", 30_000).await;
    for _ in 0..3 {
        let scheduler = bed.start();
        bed.scheduled_for(2_000).await;
        scheduler.stop().await;
    }
    let back = "UPDATE schedule_shard SET scheduled_until = date_trunc('milliseconds', now() - interval '20 s')";
    bed.execute(
        "UPDATE site SET scheduled_from = date_trunc('milliseconds', now() - interval '25 s')",
    )
    .await;
    bed.execute(back).await;
    let down = bed.scheduled_until().await;
    let scheduler = bed.start();
    bed.scheduled_for(2_000).await;
    scheduler.stop().await;
    assert!(gaps(&bed).await.is_empty());
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    for site in bed.sites().await {
        let shard = law::shard(&site.name);
        let found = instants(site.id, &tasks);
        for at in site.due((down[&shard], until[&shard])) {
            assert!(found.contains(&at), "{at} of {site:?}");
        }
    }
}
