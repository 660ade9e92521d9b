//! How many shards a turn takes, and when a failed shard is tried again.

use super::*;

const TURN: Duration = Duration::from_secs(1);

#[test]
fn quick_turns_grow_and_slow_ones_shrink() {
    let (mut pace, now) = (Pace::new(TURN), Instant::now());
    assert_eq!(pace.next(now).most(), 8);
    for _ in 0..5 {
        pace.succeeded(&[1, 2], Duration::from_millis(99), now);
    }
    assert_eq!(pace.next(now).most(), 64);
    pace.succeeded(&[1, 2], Duration::from_millis(500), now);
    assert_eq!(pace.next(now).most(), 64);
    for _ in 0..9 {
        pace.succeeded(&[1, 2], Duration::from_millis(1_001), now);
    }
    assert_eq!(pace.next(now).most(), 1);
}

#[test]
fn turns_do_not_shrink_when_every_statement_takes_long() {
    let (mut pace, now) = (Pace::new(TURN), Instant::now());
    let answer = Duration::from_millis(200);
    for _ in 0..5 {
        pace.started(&[1, 2], answer * 3);
        pace.succeeded(&[1, 2], answer * 12, now);
    }
    assert_eq!(pace.next(now).most(), 64);
    pace.succeeded(&[1, 2], answer * 20, now);
    assert_eq!(pace.next(now).most(), 32);
}

#[test]
fn shards_of_a_failed_turn_are_tried_alone_after_doubling_pauses() {
    let (mut pace, mut now) = (Pace::new(TURN), Instant::now());
    pace.started(&[3, 4], Duration::ZERO);
    pace.failed(&[3, 4], now);
    assert_eq!(pace.next(now).candidates().len(), 62);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(pace.next_retry(), Some(now + Duration::from_secs(pause)));
        now += Duration::from_secs(pause);
        assert_eq!(pace.next(now), Take::Retry(3));
        pace.failed(&[3], now);
        assert_eq!(pace.next(now), Take::Retry(4));
        pace.failed(&[4], now);
    }
}

#[test]
fn once_a_retry_goes_well_the_others_wait_no_longer() {
    let (mut pace, now) = (Pace::new(TURN), Instant::now());
    pace.failed(&[3, 4, 5], now);
    let later = now + Duration::from_secs(1);
    pace.failed(&[4, 5], later);
    pace.succeeded(&[3], TURN, later);
    assert_eq!(pace.next(later).candidates(), [4]);
    pace.succeeded(&[4], TURN, later);
    pace.succeeded(&[5], TURN, later);
    assert_eq!(pace.next(later).candidates().len(), 64);
    assert_eq!(pace.next_retry(), None);
}

#[test]
fn a_shard_in_a_turn_is_not_tried_a_second_time() {
    let (mut pace, now) = (Pace::new(TURN), Instant::now());
    pace.failed(&[3], now);
    let later = now + Duration::from_secs(1);
    pace.started(&[3], Duration::ZERO);
    assert_eq!(pace.next(later).candidates().len(), 63);
    assert_eq!(pace.next_retry(), None);
}
