//! Which keys of a configuration change without a restart, and which are named.

use super::*;

#[test]
fn each_key_that_needs_a_restart_is_named_by_itself() {
    let old = HttpConfig {
        listen: "127.0.0.1:1".parse().unwrap(),
    };
    let mut new = old.clone();
    let mut changes = Changes::default();
    changes.fixed(&old, &new);
    assert_eq!(changes, Changes::default());
    new.listen.set_port(2);
    changes.fixed(&old, &new);
    assert!(changes.made.is_empty());
    assert_eq!(changes.restart, ["http.listen"]);
}

#[test]
fn what_was_adopted_is_no_change_the_next_time_and_what_was_not_is() {
    let mut changes = Changes::default();
    let mut slots = 32;
    assert!(changes.adopt("slots", &mut slots, 64));
    assert!(!changes.adopt("slots", &mut slots, 64));
    for _ in 0..2 {
        changes.needs_restart("drain", &1, &2);
    }
    assert_eq!(
        (changes.made, changes.restart),
        (vec!["slots"], vec!["drain", "drain"])
    );
}

#[tokio::test]
async fn hang_ups_before_and_during_a_reload_are_one_more_reload() {
    let (asked, ended) = (HangUps::default(), CancellationToken::new());
    // nothing listens yet: a service that starts
    asked.ask();
    asked.ask();
    let source = Source {
        file: "none".into(),
        logs: Logs::default(),
    };
    let reloads = Reloads::new(asked.clone(), source);
    let (count, stop) = (std::cell::Cell::new(0), ended.clone());
    let adopt = |_: &Logs, ()| {
        count.set(count.get() + 1);
        match count.get() {
            // while the first is adopted two more come
            1 => (asked.ask(), asked.ask()),
            _ => (ended.cancel(), ()),
        };
        Changes::default()
    };
    reloads.keep(|_| Ok(()), adopt, stop).await.unwrap();
    assert_eq!(count.get(), 2);
}
