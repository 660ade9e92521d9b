//! What patterns are compiled, and what they take.

use std::thread;

use super::*;

#[test]
fn a_pattern_knows_how_long_it_may_take() {
    for (text, steps) in [
        ("", 0),
        ("^$", 0),
        ("hello", 1),
        ("(?i)hello", 5),
        ("[a-z]+@[a-z]+", 3),
        ("(a|b)*c", 2),
        ("a{32000}b", 32_001),
        ("(?:a{1,100}){1,100}b", 10_001),
        ("(?s).{3,}", 3),
        (r"\pL{20}", 20),
    ] {
        let pattern = Pattern::compile(text).unwrap();
        assert_eq!(pattern.steps(10), steps * 10, "{text}");
    }
}

#[test]
fn a_pattern_finds_what_the_regex_crate_finds() {
    for (text, haystack, end) in [
        ("", "", Some(0)),
        ("", "é", Some(0)),
        ("a|ab", "xab", Some(2)),
        ("ab?", "xab", Some(3)),
        (r"(?i)\bSTÖRUNG\b", "eine störung hier", Some(13)),
        (r#""status":\s*"(ok|UP)""#, r#"{"status": "UP"}"#, Some(15)),
        (r"\w{20}$", "ääääääääääääääääääää", Some(40)),
        (r"(?-u)\xff", "x", None),
        ("^b", "ab", None),
    ] {
        let pattern = Pattern::compile(text).unwrap();
        for _ in 0..2 {
            assert_eq!(pattern.find_end(haystack.as_bytes()), end, "{text}");
        }
    }
}

#[test]
fn a_pattern_takes_no_more_than_it_says_whoever_searches() {
    let mut text: String = (' '..'ā').collect();
    text.push_str("Störung 2026-11-30T23:12:10 a@b.example x");
    for pattern in [
        "ok",
        r"(?i)\bstörung\b",
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}",
        r"(?s-u).{1,1000}x",
        r"(?:a?){50}a{50}\w",
        r"x\w{20}",
    ] {
        let pattern = Pattern::compile(pattern).unwrap();
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| pattern.find_end(text.as_bytes()));
            }
        });
        let kept = pattern.0.memory().as_ref().map(|kept| kept.memory_usage());
        let program = pattern.0.regex.memory_usage();
        let takes = program + kept.unwrap_or(0);
        assert!(takes <= pattern.memory_bytes(), "{pattern:?}: {takes}");
        assert!(kept.is_none_or(|kept| kept <= KEPT_LIMIT + KEPT_GROWTH));
    }
}

#[test]
fn patterns_that_people_write_fit_a_site() {
    for (pattern, most_kib) in [
        ("ok", 10),
        (r#""status":\s*"(ok|UP)""#, 32),
        (r"(?i)\bstörung\b", 32),
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", 32),
        (r"(?s)<title>.*Welcome.*</title>", 32),
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", 160),
        (r"[\w.+-]+@[\w-]+\.[\w.-]+", 256),
        (r"\w{20}", 1_200),
    ] {
        let kib = Pattern::compile(pattern).unwrap().memory_bytes() / 1_024;
        assert!(kib <= most_kib, "{pattern}: {kib} KiB");
    }
}

#[test]
fn no_pattern_takes_more_memory_to_search_than_is_reckoned_with() {
    let text: String = ('a'..='ÿ').cycle().take(20_000).collect();
    for pattern in [
        r"\w{20}",
        r"x\w{20}",
        "a{32000}b",
        r"(?:[a-z]\w?){9}z",
        r"(?s).{1,500}x",
    ] {
        let pattern = Pattern::compile(pattern).unwrap();
        let mut memory = pattern.0.regex.create_cache();
        let first = memory.memory_usage();
        pattern
            .0
            .regex
            .search_half_with(&mut memory, &Input::new(&text));
        let taken = memory.memory_usage();
        assert!(
            first <= SEARCH_FIRST && taken <= MAX_SEARCH_BYTES,
            "{pattern:?}: {taken}"
        );
    }
}
