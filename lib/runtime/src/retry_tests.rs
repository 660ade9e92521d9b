//! How long the waits are, and how often an outage is logged.

use super::*;

#[test]
fn waits_double_up_to_the_cap_and_lose_at_most_half() {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
    for step in [100, 200, 350, 350] {
        let wait = backoff.next_wait();
        assert!(
            wait >= Duration::from_millis(step) / 2,
            "{wait:?} of {step} ms"
        );
        assert!(wait <= Duration::from_millis(step), "{wait:?} of {step} ms");
    }
    backoff.reset();
    assert!(backoff.next_wait() <= Duration::from_millis(100));
}

#[test]
fn waits_differ_from_one_another() {
    let waits: std::collections::HashSet<_> = (0..8)
        .map(|_| Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next_wait())
        .collect();
    assert!(waits.len() > 1);
}

#[test]
fn an_outage_is_said_once_per_change() {
    let mut outage = Outage::new("PostgreSQL");
    assert!(!outage.over());
    assert!(outage.failed("refused"));
    assert!(!outage.failed("refused"));
    assert!(outage.failed("timed out"));
    assert!(outage.over());
    assert!(!outage.over());
    assert!(outage.failed("timed out"));
}

#[test]
fn an_outage_that_lasts_is_said_again_and_less_and_less() {
    let (mut outage, start) = (Outage::new("PostgreSQL"), Instant::now());
    let minute = |minute: &u64| start + Duration::from_mins(*minute);
    let said = |outage: &mut Outage| -> Vec<_> {
        let minutes = 0..200;
        minutes
            .filter(|at| outage.failed_at("refused", minute(at)))
            .collect()
    };
    assert_eq!(said(&mut outage), [0, 5, 15, 35, 75, 135, 195]);
    assert!(outage.over());
    assert_eq!(said(&mut outage), [0, 5, 15, 35, 75, 135, 195]);
}

#[test]
fn causes_that_take_turns_are_said_once_each() {
    let mut outage = Outage::new("PostgreSQL");
    let said = (0..100).filter(|n| outage.failed(["refused", "reset"][n % 2]));
    assert_eq!(said.count(), 2);
    assert_eq!(outage.cause(), Some("reset"));
}

#[test]
fn neither_coming_and_going_nor_a_cause_worded_anew_fills_the_log() {
    let mut outage = Outage::new("PostgreSQL");
    let mut lines = 0;
    for _ in 0..1_000 {
        lines += usize::from(outage.failed("refused")) + usize::from(outage.over());
    }
    assert_eq!(lines, 20);
    let mut outage = Outage::new("PostgreSQL");
    let said = (0..1_000).filter(|n| outage.failed(&n.to_string()));
    assert_eq!(said.count(), MOST_CAUSES);
}
