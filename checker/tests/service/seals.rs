//! By what a message shows that a scheduler wrote it.

use contract::task::Task;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use runtime::config::Secret;
use stream::config::KafkaConfig;
use stream::{HEADER, Seal, client_config};

use crate::bed::{Bed, PATIENCE};

/// What a message carries.
type Headers<'a> = &'a [&'a [u8]];

/// Puts a task on the topic with these headers.
fn send(bed: &Bed, task: &Task, headers: Headers<'_>) {
    let producer: BaseProducer = client_config(&bed.kafka(), "test").create().unwrap();
    let (key, mut payload) = (task.site_id.to_string(), Vec::new());
    task.encode(&mut payload).unwrap();
    let carried = headers.iter().fold(OwnedHeaders::new(), |carried, value| {
        carried.insert(Header {
            key: HEADER,
            value: Some(*value),
        })
    });
    let record = BaseRecord::to(bed.topic()).key(&key).payload(&payload);
    let sent = producer.send(record.headers(carried));
    sent.map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
}

/// The header of a task under a key.
fn header(bed: &Bed, key: &str, task: &Task) -> Vec<u8> {
    let config = KafkaConfig {
        key: Some(Secret::new(key)),
        ..bed.kafka()
    };
    let mut payload = Vec::new();
    task.encode(&mut payload).unwrap();
    let seal = Seal::of(&config).unwrap();
    let tag = seal.sign(task.site_id.to_string().as_bytes(), &payload);
    tag.as_ref().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_only_what_was_sealed_by_it_is_checked() {
    let (ours, before, theirs) = ("k".repeat(32), "p".repeat(32), "t".repeat(32));
    let mut bed = Bed::new("sealed").await;
    bed.key = Some(Secret::new(&*ours));
    bed.previous_key = Some(Secret::new(&*before));
    let checker = bed.checker().await;
    let now = bed.now().await;
    let tasks: Vec<_> = (1..=7).map(|id| bed.task(id, now, "/ok/1")).collect();
    let right = tasks
        .iter()
        .map(|task| header(&bed, &ours, task))
        .collect::<Vec<_>>();
    send(&bed, &tasks[0], &[&right[0]]);
    send(&bed, &tasks[1], &[&header(&bed, &before, &tasks[1])]);
    // None, of another message, of another key, two, and a text.
    send(&bed, &tasks[2], &[]);
    send(&bed, &tasks[3], &[&right[0]]);
    send(&bed, &tasks[4], &[&header(&bed, &theirs, &tasks[4])]);
    send(&bed, &tasks[5], &[&right[5], &right[5]]);
    send(&bed, &tasks[6], &[b"right"]);
    bed.all_committed().await;
    assert_eq!((bed.count().await, bed.website.total_hits()), (2, 2));
    assert!((checker.metric("webmon_poison_total") - 5.0).abs() < 0.1);
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_headers_are_not_looked_at() {
    let bed = Bed::new("unsealed").await;
    let checker = bed.checker().await;
    let now = bed.now().await;
    send(&bed, &bed.task(1, now, "/ok/1"), &[]);
    send(&bed, &bed.task(2, now, "/ok/1"), &[b"whatever"]);
    bed.rows(2, PATIENCE).await;
    assert_eq!(bed.verdicts("up").await, 2);
    checker.stopped().await;
}
