//! What becomes of messages that are no tasks, or make no sense.

use contract::instant::UnixMs;
use contract::task::Task;

use crate::bed::{Bed, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_counted_and_stepped_over_and_nonsense_is_an_invalid_site() {
    let bed = Bed::new("poison").await;
    let now = bed.now().await;
    let ours = bed.installation;
    let nonsense =
        format!(r#"{{"v":1,"installation":"{ours}","site_id":7,"scheduled_at":{now},"url":5}}"#);
    let ahead = format!(
        r#"{{"v":1,"installation":"{ours}","site_id":8,"scheduled_at":{}}}"#,
        now + 3_600_000
    );
    let mut good = Vec::new();
    let task = bed.task(9, now, "/ok/9");
    task.encode(&mut good).unwrap();
    let messages: [&[u8]; 7] = [
        b"",
        b"hello \xff\x00",
        nonsense.as_bytes(),
        br#"{"v":2,"site_id":7,"scheduled_at":1}"#,
        ahead.as_bytes(),
        b"[[[[",
        &good,
    ];
    // One key, one partition: what comes last has passed all the others.
    bed.produce(messages.map(|message| ("7", message)));
    let checker = bed.checker().await;
    bed.rows(2, PATIENCE).await;
    assert_eq!(bed.verdicts("inconclusive/invalid_site").await, 1);
    assert_eq!(bed.verdicts("up").await, 1);
    assert!((checker.metric("webmon_poison_total") - 5.0).abs() < 0.1);
    bed.all_committed().await;
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_at_the_end_is_committed_too() {
    let bed = Bed::new("poison-end").await;
    let checker = bed.checker().await;
    bed.produce((0..100).map(|_| ("poison", b"no task".as_slice())));
    bed.all_committed().await;
    assert!((checker.metric("webmon_poison_total") - 100.0).abs() < 0.1);
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instants_beyond_all_reckoning_stop_no_other_task() {
    let bed = Bed::new("instants").await;
    let checker = bed.checker().await;
    let now = bed.now().await;
    let at = |scheduled_at: i64, expires_at: i64| Task {
        scheduled_at: UnixMs(scheduled_at),
        expires_at: UnixMs(expires_at),
        ..bed.task(1, now, "/ok/impossible")
    };
    let impossible = [
        at(i64::MIN, i64::MIN),
        at(i64::MIN, i64::MAX),
        at(i64::MIN / 1_000, 0),
        at(now, i64::MIN),
        at(now + 1, i64::MAX),
    ];
    bed.send(&impossible);
    bed.send(&[bed.task(2, now, "/ok/2")]);
    bed.all_committed().await;
    // No scheduler sends such instants: they are stepped over, and make no day of any year.
    assert_eq!(bed.count().await, 1);
    assert!((checker.metric("webmon_poison_total") - 5.0).abs() < 0.1);
    checker.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_no_scheduler_sends_take_no_slot_and_make_no_day() {
    let bed = Bed::new("bounds").await;
    let checker = bed.checker().await;
    let now = bed.now().await;
    let for_weeks = |id: i64| Task {
        timeout_ms: 4_233_600_000,
        ..bed.task(id, now, "/slow/20000")
    };
    let in_1970 = |id: i64| Task {
        scheduled_at: UnixMs(id),
        expires_at: UnixMs(now + 3_600_000),
        ..bed.task(id, now, "/ok/1970")
    };
    let for_years = |id: i64| Task {
        expires_at: UnixMs(now + 86_400_000 * 365),
        ..bed.task(id, now, "/ok/years")
    };
    let ours = bed.installation;
    let header = |id: i64| {
        format!(r#"{{"v":1,"installation":"{ours}","site_id":{id},"scheduled_at":{id}}}"#)
            .into_bytes()
    };
    bed.send(&(1..=100).map(for_weeks).collect::<Vec<_>>());
    bed.send(&(101..=200).map(in_1970).collect::<Vec<_>>());
    bed.send(&(201..=300).map(for_years).collect::<Vec<_>>());
    let headers: Vec<_> = (301..=400).map(header).collect();
    bed.produce(headers.iter().map(|message| ("1", message.as_slice())));
    bed.send(&[bed.task(1_000, now, "/ok/1000")]);
    bed.rows(1, PATIENCE).await;
    bed.all_committed().await;
    assert_eq!((bed.count().await, bed.website.total_hits()), (1, 1));
    assert!((checker.metric("webmon_poison_total") - 400.0).abs() < 0.1);
    let days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'check_result'::regclass";
    assert_eq!(bed.number(days).await, 1, "the day of the one row");
    checker.stopped().await;
}
