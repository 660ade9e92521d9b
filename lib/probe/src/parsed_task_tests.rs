//! What is kept of expectations, and which check waits for which.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use contract::outcome::Reason;

use super::*;

/// A check that may take a minute.
fn waiting_time() -> WaitingTime {
    WaitingTime::new(Duration::from_mins(1))
}

/// A parser with room for so many bytes.
fn parser(bytes: u64) -> TaskParser {
    TaskParser::of(bytes).unwrap()
}

/// Reads expectations and asks for them again, as a check does.
fn both(parser: &TaskParser, text: &str) -> Result<Arc<Expect>, Fault> {
    let cores = Cores::new(2);
    let expected = parser.expected(text, &cores, &mut waiting_time())?;
    parser.expectations(&expected, text, &cores)
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
    let parser = parser(4 << 20);
    let often = with_patterns(&["often".to_owned()]);
    let first = both(&parser, &often).unwrap();
    for n in 0..300 {
        both(
            &parser,
            &with_patterns(&[format!("a{n}"), format!("(?i){n}störung")]),
        )
        .unwrap();
        assert!(Arc::ptr_eq(&first, &both(&parser, &often).unwrap()));
        assert!(parser.cache.weight() <= 4 << 20);
    }
    assert!(parser.cache.len() > 50, "{}", parser.cache.len());
    for n in 0..8 {
        both(&parser, &with_patterns(&[format!(r"{n}\w{{20}}")])).unwrap();
        assert!(parser.cache.weight() <= 4 << 20);
    }
}

#[test]
fn what_needs_no_compiling_is_not_kept() {
    let parser = parser(CACHE_BYTES);
    both(&parser, r#"{"status": [200]}"#).unwrap();
    assert_eq!(parser.cache.len(), 0);
}

#[test]
fn a_key_with_escapes_is_no_way_around() {
    let parser = parser(CACHE_BYTES);
    let text = r#"{"body": [{"m\u0061tches": "a"}]}"#;
    assert_eq!(both(&parser, text).unwrap().patterns(), 1);
    assert_eq!(parser.cache.len(), 1);
}

#[test]
fn a_refused_text_is_remembered_and_takes_little_however_long_it_is() {
    let parser = parser(CACHE_BYTES);
    let long = format!(r#"{{"matches{}": 1}}"#, "é".repeat(30_000));
    let many: Vec<String> = (0..32).map(|n| format!(r"{n}\w{{20}}")).collect();
    for (text, said) in [
        (long, "expect.matches"),
        (
            with_patterns(&many),
            "expect.body[1].matches: the patterns up to this one take",
        ),
    ] {
        let before = parser.cache.weight();
        for _ in 0..2 {
            let fault = both(&parser, &text).unwrap_err();
            assert_eq!(fault.reason, Reason::InvalidSite);
            assert!(fault.detail(0).starts_with(said), "{fault}");
        }
        let Some(Cached::Refused(_)) = parser.cache.get(&key(&text)) else {
            panic!("{said} is not remembered")
        };
        assert!(parser.cache.weight() - before < 2_048, "{said}");
    }
}

#[test]
fn lanes_that_meet_the_same_new_text_compile_it_once() {
    let (parser, cores, start) = (parser(CACHE_BYTES), Cores::new(8), Barrier::new(8));
    let text = with_patterns(&[r"\w{18}".to_owned()]);
    let found = thread::scope(|scope| {
        let lanes = (0..8).map(|_| {
            scope.spawn(|| {
                start.wait();
                let expected = parser.expected(&text, &cores, &mut waiting_time()).unwrap();
                parser.expectations(&expected, &text, &cores).unwrap()
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
    let (parser, cores) = (parser(CACHE_BYTES), Cores::new(1));
    let text = with_patterns(&["a".to_owned()]);
    let busy = cores.take(Duration::ZERO).unwrap();
    let began = Instant::now();
    // the first waits for the core, and the others for the first
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut waiting = WaitingTime::new(Duration::from_millis(300));
                let fault = parser.expected(&text, &cores, &mut waiting).unwrap_err();
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
    parser.expected(&text, &cores, &mut waiting_time()).unwrap();
}

#[test]
fn what_others_took_the_place_of_is_compiled_again() {
    let (parser, cores) = (parser(64 << 10), Cores::new(1));
    let text = with_patterns(&["first".to_owned()]);
    let expected = parser.expected(&text, &cores, &mut waiting_time()).unwrap();
    parser.cache.clear();
    assert_eq!(
        *parser.expectations(&expected, &text, &cores).unwrap(),
        Expect::parse(&text).unwrap()
    );
    assert_eq!(parser.cache.len(), 1);
}
