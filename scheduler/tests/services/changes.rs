//! A change of a row counts from a stamp on, and the law holds after it.

use std::collections::BTreeSet;

use crate::bed::{Bed, PATIENCE, instants};
use testbed::eventually;

/// Changes the only site while it is being scheduled; returns what it was like after that.
async fn change(bed: &Bed, sql: &str) {
    let scheduler = bed.start();
    bed.scheduled_for(1_500).await;
    let before = bed.sites().await[0].scheduled_from;
    bed.execute(sql).await;
    let now = bed.now().await;
    bed.scheduled_for(2_500).await;
    scheduler.stop().await;
    let stamp = bed.sites().await[0].scheduled_from;
    assert!(stamp > before && stamp > Some(now), "{stamp:?} {before:?}");
    bed.assert_law(&bed.tasks().await, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_interval_is_the_law_from_its_stamp_on() {
    let bed = Bed::new("interval").await;
    bed.insert("shop", 400).await;
    change(&bed, "UPDATE site SET interval_ms = 150, timeout_ms = 100").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_is_the_law_from_its_stamp_on() {
    let bed = Bed::new("rename").await;
    bed.insert("shop", 300).await;
    change(&bed, "UPDATE site SET name = 'market'").await;
    let tasks = bed.tasks().await;
    let names: BTreeSet<_> = tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["market", "shop"].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_site_gets_no_task_beyond_the_horizon_until_it_is_enabled() {
    let bed = Bed::new("disabled").await;
    bed.insert("shop", 200).await;
    bed.insert("other", 200).await;
    let scheduler = bed.start();
    bed.scheduled_for(1_500).await;
    bed.execute("UPDATE site SET enabled = false WHERE name = 'shop'")
        .await;
    let disabled = bed.now().await;
    assert_eq!(bed.site("shop").await.scheduled_from, None);
    bed.scheduled_for(3_000).await;
    bed.execute("UPDATE site SET enabled = true WHERE name = 'shop'")
        .await;
    let enabled = bed.now().await;
    bed.scheduled_for(2_000).await;
    scheduler.stop().await;
    let tasks = bed.tasks().await;
    bed.assert_law(&tasks, false).await;
    let horizon = i64::try_from(bed.config.settings.horizon.as_millis()).unwrap();
    let dark = disabled + horizon + 1..=enabled;
    let site = bed.site("shop").await.id;
    let late: Vec<_> = instants(site, &tasks)
        .into_iter()
        .filter(|at| dark.contains(at))
        .collect();
    assert!(
        late.is_empty(),
        "tasks of a disabled site in {dark:?}: {late:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_at_now_is_one_task_within_the_horizon_and_two_seconds() {
    let bed = Bed::new("check-at").await;
    let scheduler = bed.start();
    // What is due once a day is due in this test by chance only.
    let insert = "INSERT INTO site (name, url, interval_ms, timeout_ms, check_at)
                  VALUES ('shop', 'http://shop.example/', 86400000, 1000, now())";
    let mut extra = BTreeSet::new();
    let sooner = i64::try_from(bed.config.settings.horizon.as_millis()).unwrap() + 2_000;
    for sql in [
        insert,
        "UPDATE site SET check_at = now()",
        "UPDATE site SET check_at = now()",
    ] {
        let asked = bed.now().await;
        bed.execute(sql).await;
        let site = bed.stamped().await.remove(0);
        let (at, from) = (site.check_at.unwrap(), site.scheduled_from.unwrap());
        assert!(from < at && at <= from + 1_000, "{site:?}");
        // Beyond what the stamp itself waited for on a busy machine.
        assert!(at - asked <= sooner + 3_000, "after {} ms", at - asked);
        extra.insert(at);
        testbed::tables::scheduled_until(&bed.database, at).await;
    }
    bed.scheduled_for(1_000).await;
    scheduler.stop().await;
    let tasks = bed.tasks().await;
    let found: Vec<_> = tasks.iter().map(|task| task.scheduled_at.0).collect();
    let site = bed.site("shop").await;
    let regular = crate::law::instants("shop", 86_400_000, (found[0] - 60_000, found[0] + 60_000));
    let found: Vec<_> = found
        .into_iter()
        .filter(|at| !regular.contains(at))
        .collect();
    assert_eq!(found.len(), 3, "{site:?} {found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), extra);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_request_moves_nothing() {
    let bed = Bed::new("request").await;
    bed.insert("shop", 200).await;
    let scheduler = bed.start();
    bed.scheduled_for(1_000).await;
    let before = bed.site("shop").await.scheduled_from;
    bed.execute(r#"UPDATE site SET request = '{"method": "HEAD"}'"#)
        .await;
    eventually(PATIENCE, "a task with the new request", async || {
        let tasks = bed.tasks().await;
        tasks
            .iter()
            .any(|task| task.request.get().contains("HEAD"))
            .then_some(())
    })
    .await;
    scheduler.stop().await;
    assert_eq!(bed.site("shop").await.scheduled_from, before);
    bed.assert_law(&bed.tasks().await, false).await;
}
