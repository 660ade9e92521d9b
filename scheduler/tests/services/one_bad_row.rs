//! A row that cannot be sent holds up no other.

use sea_orm::QueryResult;

use crate::bed::{Bed, instants};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_kafka_does_not_take_is_inconclusive_and_the_others_go_on() {
    let bed = Bed::new("bad-row").await;
    for name in ["good", "bad", "fine"] {
        bed.insert(name, 500).await;
    }
    // What no constraint of ours lets in.
    bed.execute(
        "ALTER TABLE site DROP CONSTRAINT site_request_size;
         UPDATE site SET request = jsonb_build_object('body', repeat('x', 2000000)) WHERE name = 'bad'",
    )
    .await;
    let mut scheduler = bed.start();
    bed.scheduled_for(3_000).await;
    assert_eq!(scheduler.counter("webmon_turns_failed_total").await, 0);
    scheduler.counted("webmon_tasks_invalid_total", 1).await;
    scheduler.stop().await;
    let (tasks, until) = (bed.tasks().await, bed.scheduled_until().await);
    for site in bed.sites().await {
        let due = site.due((
            site.scheduled_from.unwrap(),
            until[&crate::law::shard(&site.name)],
        ));
        let sent = instants(site.id, &tasks);
        let recorded = invalid(&bed, site.id).await;
        let (some, none) = if site.name == "bad" {
            (&recorded, &sent)
        } else {
            (&sent, &recorded)
        };
        assert!(none.is_empty(), "{site:?}");
        assert!(due.iter().all(|at| some.contains(at)), "{site:?} {some:?}");
    }
    let detail = bed
        .rows("SELECT min(detail) FROM check_result WHERE detail LIKE '%bytes are more than Kafka takes'")
        .await;
    assert!(
        detail[0]
            .try_get_by_index::<Option<String>>(0)
            .unwrap()
            .is_some()
    );
}

/// The instants of a site that were recorded as those of an invalid site.
pub(crate) async fn invalid(bed: &Bed, site: i64) -> Vec<i64> {
    let rows = bed
        .rows(&format!(
            "SELECT (extract(epoch FROM scheduled_at) * 1000)::bigint FROM check_result
             WHERE site_id = {site} AND outcome = 'inconclusive' AND reason = 'invalid_site'
             ORDER BY scheduled_at"
        ))
        .await;
    let number = |row: &QueryResult| row.try_get_by_index(0).unwrap();
    rows.iter().map(number).collect()
}
