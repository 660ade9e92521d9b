//! A hold that is full.

use std::time::Duration;

use contract::CHECKER_GROUP;
use contract::task::Task;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde_json::value::RawValue;
use testbed::eventually;

use crate::bed::{Bed, PATIENCE};

/// The bound of the hold, in bytes.
const MOST_BYTES: f64 = 67_108_864.0;

/// The members of the group, once no rebalance is under way.
async fn members() -> Vec<String> {
    let observer = Bed::observer();
    eventually(PATIENCE, "the group is stable", async || {
        let groups = match observer.fetch_group_list(Some(CHECKER_GROUP), PATIENCE) {
            // A broker lists no group while a partition of its offsets' topic is still loading.
            Err(KafkaError::GroupListFetch(RDKafkaErrorCode::CoordinatorLoadInProgress)) => {
                return None;
            }
            groups => groups.unwrap(),
        };
        let group = groups.groups().first()?;
        let members = group.members().iter();
        let members: Vec<_> = members.map(|member| member.id().to_owned()).collect();
        (group.state() == "Stable").then_some(members)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_hold_pauses_reading_without_leaving_the_group_and_resumes() {
    const TASKS: i64 = 1_600;
    let bed = Bed::new("full").await;
    let checker = bed.checker().await;
    let before = members().await;
    let due = bed.now().await + 20_000;
    let request = RawValue::from_string(format!("{{{}}}", " ".repeat(60_000))).unwrap();
    let task = |id: i64| Task {
        request: request.clone(),
        ..bed.task(id, due, "/ok/1")
    };
    bed.send(&(0..TASKS).map(task).collect::<Vec<_>>());
    eventually(PATIENCE, "the hold is full", async || {
        (checker.metric("webmon_hold_bytes") >= MOST_BYTES).then_some(())
    })
    .await;
    // Longer than the session timeout of 6 s, and never more than one drain above the bound.
    eventually(PATIENCE, "the tasks are nearly due", async || {
        assert!(checker.metric("webmon_hold_bytes") < 1.1 * MOST_BYTES);
        (bed.now().await > due - 1_000).then_some(())
    })
    .await;
    assert!(checker.metric("webmon_hold_size") < 1_500.0);
    assert_eq!(bed.count().await, 0);
    bed.rows(TASKS, PATIENCE + Duration::from_secs(20)).await;
    assert_eq!(bed.verdicts("up").await, TASKS);
    bed.all_committed().await;
    assert_eq!(members().await, before);
    checker.stopped().await;
}
