//! What is kept of expectations, and who waits for whom.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use contract::outcome::Reason;

use super::*;

/// A check that may take a minute.
fn patient() -> Patience {
    Patience::new(Duration::from_mins(1))
}

/// Plans with room for so many bytes.
fn plans(bytes: u64) -> Plans {
    Plans::of(bytes).unwrap()
}

/// Reads expectations and asks for them again, as a check does.
fn both(plans: &Plans, text: &str) -> Result<Arc<Expect>, Fault> {
    let cores = Cores::new(2);
    let expected = plans.expected(text, &cores, &mut patient())?;
    plans.again(&expected, text, &cores)
}

/// Expectations with these patterns on the body.
fn with_patterns(patterns: &[String]) -> String {
    let rules = patterns
        .iter()
        .map(|pattern| serde_json::json!({"matches": pattern}).to_string());
    format!(r#"{{"body": [{}]}}"#, rules.collect::<Vec<_>>().join(", "))
}

#[test]
fn a_pattern_is_compiled_once_and_what_is_kept_has_a_bound_in_bytes() {
    let plans = plans(4 << 20);
    let often = with_patterns(&["often".to_owned()]);
    let first = both(&plans, &often).unwrap();
    for n in 0..300 {
        both(
            &plans,
            &with_patterns(&[format!("a{n}"), format!("(?i){n}störung")]),
        )
        .unwrap();
        assert!(Arc::ptr_eq(&first, &both(&plans, &often).unwrap()));
        assert!(plans.kept.weight() <= 4 << 20);
    }
    assert!(plans.kept.len() > 50, "{}", plans.kept.len());
    for n in 0..8 {
        both(&plans, &with_patterns(&[format!(r"{n}\w{{20}}")])).unwrap();
        assert!(plans.kept.weight() <= 4 << 20);
    }
}

#[test]
fn what_needs_no_compiling_is_not_kept() {
    let plans = plans(KEPT_BYTES);
    both(&plans, r#"{"status": [200]}"#).unwrap();
    assert_eq!(plans.kept.len(), 0);
}

#[test]
fn a_key_with_escapes_is_no_way_around() {
    let plans = plans(KEPT_BYTES);
    let text = r#"{"body": [{"m\u0061tches": "a"}]}"#;
    assert_eq!(both(&plans, text).unwrap().patterns(), 1);
    assert_eq!(plans.kept.len(), 1);
}

#[test]
fn a_refused_text_is_remembered_and_takes_little_however_long_it_is() {
    let plans = plans(KEPT_BYTES);
    let long = format!(r#"{{"matches{}": 1}}"#, "é".repeat(30_000));
    let many: Vec<String> = (0..32).map(|n| format!(r"{n}\w{{20}}")).collect();
    for (text, said) in [
        (long, "expect.matches"),
        (
            with_patterns(&many),
            "expect.body[1].matches: the patterns up to this one take",
        ),
    ] {
        let before = plans.kept.weight();
        for _ in 0..2 {
            let fault = both(&plans, &text).unwrap_err();
            assert_eq!(fault.reason, Reason::InvalidSite);
            assert!(fault.detail(0).starts_with(said), "{fault}");
        }
        let Some(Kept::Refused(_)) = plans.kept.get(&key(&text)) else {
            panic!("{said} is not remembered")
        };
        assert!(plans.kept.weight() - before < 2_048, "{said}");
    }
}

#[test]
fn lanes_that_meet_the_same_new_text_compile_it_once() {
    let (plans, cores, start) = (plans(KEPT_BYTES), Cores::new(8), Barrier::new(8));
    let text = with_patterns(&[r"\w{18}".to_owned()]);
    let found = thread::scope(|scope| {
        let lanes = (0..8).map(|_| {
            scope.spawn(|| {
                start.wait();
                let expected = plans.expected(&text, &cores, &mut patient()).unwrap();
                plans.again(&expected, &text, &cores).unwrap()
            })
        });
        let lanes: Vec<_> = lanes.collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(found.iter().all(|expect| Arc::ptr_eq(expect, &found[0])));
}

#[test]
fn a_check_that_finds_no_core_ends_within_its_time_and_blames_itself() {
    let (plans, cores) = (plans(KEPT_BYTES), Cores::new(1));
    let text = with_patterns(&["a".to_owned()]);
    let busy = cores.take(Duration::ZERO).unwrap();
    let began = Instant::now();
    // the first waits for the core, and the others for the first
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut patience = Patience::new(Duration::from_millis(300));
                let fault = plans.expected(&text, &cores, &mut patience).unwrap_err();
                assert_eq!(fault.reason, Reason::LocalResources, "{fault}");
            });
        }
    });
    let took = began.elapsed();
    assert!(
        (Duration::from_millis(300)..Duration::from_secs(20)).contains(&took),
        "{took:?}"
    );
    drop(busy);
    plans.expected(&text, &cores, &mut patient()).unwrap();
}

#[test]
fn what_others_took_the_place_of_is_compiled_again() {
    let (plans, cores) = (plans(64 << 10), Cores::new(1));
    let text = with_patterns(&["first".to_owned()]);
    let expected = plans.expected(&text, &cores, &mut patient()).unwrap();
    plans.kept.clear();
    assert_eq!(
        *plans.again(&expected, &text, &cores).unwrap(),
        Expect::parse(&text).unwrap()
    );
    assert_eq!(plans.kept.len(), 1);
}
