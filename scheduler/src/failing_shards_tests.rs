//! How often a shard that fails is logged.

use super::*;

/// A cause that is Kafka's.
fn cause(text: &str) -> Cause {
    Cause {
        text: text.to_owned(),
        of_kafka: true,
    }
}

#[test]
fn what_goes_on_failing_is_said_again_and_less_and_less() {
    let (mut failing, start) = (FailingShards::default(), Instant::now());
    let mut said = Vec::new();
    for second in 0..8_000 {
        let now = start + Duration::from_secs(second);
        failing.failed(&[3], &cause("too large"), now);
        if failing.remind(now) {
            said.push(second / 60);
        }
    }
    assert_eq!(said, [1, 3, 7, 15, 31, 63, 123]);
    assert_eq!(failing.worst(), Some((3, &cause("too large"))));
}

#[test]
fn the_turns_of_other_shards_end_no_trouble() {
    let (mut failing, now) = (FailingShards::default(), Instant::now());
    failing.failed(&[3, 4], &cause("away"), now);
    assert!(!failing.succeeded(&[1, 2], 9));
    assert!(!failing.succeeded(&[3], 1));
    assert_eq!(failing.of_kafka(), Some("away"));
    assert!(failing.succeeded(&[4], 1));
    assert_eq!(failing.of_kafka(), None);
    assert!(!failing.remind(now + LONGEST_REMINDER));
}

#[test]
fn a_turn_without_tasks_does_not_show_that_kafka_takes_some() {
    let (mut failing, now) = (FailingShards::default(), Instant::now());
    failing.failed(&[3], &cause("away"), now);
    assert!(!failing.succeeded(&[3], 0));
    assert_eq!(failing.worst(), None, "the shard itself goes on");
    assert!(!failing.succeeded(&[5], 0));
    assert!(failing.succeeded(&[5], 1));
}

#[test]
fn a_trouble_that_is_not_kafkas_needs_no_task_to_end() {
    let (mut failing, now) = (FailingShards::default(), Instant::now());
    let of_kafka = false;
    let text = "division by zero".to_owned();
    failing.failed(&[3], &Cause { text, of_kafka }, now);
    assert_eq!(failing.of_kafka(), None);
    assert!(failing.succeeded(&[3], 0));
}

#[test]
fn many_shards_are_named_in_short() {
    let shards: Vec<_> = (0..10).collect();
    assert_eq!(named(&shards), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
}
