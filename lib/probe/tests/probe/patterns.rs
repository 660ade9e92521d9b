//! Patterns that would run away elsewhere, and bodies made for them.

use std::time::Instant;

use contract::outcome::{Outcome, Reason};

use crate::STARTED;
use crate::case::{Case, down, run, up};
use crate::hostile::{Act, Server};
use crate::{BODY_LIMIT, prober, task};

/// A body as long as webmon reads.
fn long() -> Act {
    Act::ok(&"a".repeat(usize::try_from(BODY_LIMIT).unwrap()))
}

/// A body that must match a pattern.
fn matches(pattern: &str) -> String {
    format!(r#"{{"body": [{{"matches": "{pattern}"}}]}}"#)
}

#[test]
fn patterns_made_to_run_away_end_in_time() {
    let fails = |name, pattern: &str| -> Case {
        let case = down(
            name,
            long(),
            Reason::Body,
            "expect: the body does not match ",
        );
        case.expect(&matches(pattern)).body(BODY_LIMIT)
    };
    let header = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(15_000));
    run(vec![
        fails("a star of a star", "(a*)*b"),
        fails("a plus of a plus", "^(a+)+$b"),
        fails("one of two the same", "^(a|a)*$b"),
        fails("one of two that overlap", "(a|aa)+b"),
        fails("many stars", "a*a*a*a*a*a*a*a*a*a*b"),
        fails("anything thrice", "(.*)(.*)(.*)b"),
        fails("a counted star", "(a*){50}b"),
        fails("a long count", "a{1000}b"),
        fails("a long count of anything", "(?s).{1000}b"),
        fails("a long count of almost anything", "[^x]{1000}b"),
        down(
            "in a header",
            Act::send(&header),
            Reason::Header,
            "expect: header X-A does not",
        )
        .expect(r#"{"headers": {"X-A": {"matches": "(a*)*b"}}}"#),
        up("a pattern that matches all", long())
            .expect(&matches("^(a*)*$"))
            .body(BODY_LIMIT),
        up("an empty pattern and an empty body", Act::ok(""))
            .expect(&matches(""))
            .body(0),
        up(
            "bytes that are no text",
            Act::Send(b"HTTP/1.1 200 OK\r\n\r\n\xff\0\xfe".to_vec()),
        )
        .expect(&matches(r"(?-u)^\\xff\\x00\\xfe$"))
        .body(3),
    ]);
}

#[test]
fn patterns_that_could_take_too_long_are_not_searched_for() {
    let costly = |name, act: Act, said: &str, expect: &str| {
        down(name, act, Reason::InvalidSite, said)
            .outcome(Outcome::Inconclusive)
            .expect(expect)
    };
    let said =
        r#"expect: the pattern "a{32000}b" may take too long on 65536 bytes; repeat less in it"#;
    let text = format!("\"{}\"", "a".repeat(60_000));
    let error = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    run(vec![
        costly("in a body", long(), said, &matches("a{32000}b")),
        costly(
            "several together",
            long(),
            "expect: the pattern ",
            r#"{"body": [{"matches": "a{9000}b"}, {"not_matches": "a{9000}c"}]}"#,
        ),
        costly(
            "in JSON",
            Act::ok(&text),
            "expect: the pattern ",
            r#"{"json": [{"path": "$", "matches": "a{32000}b"}]}"#,
        ),
        down(
            "not needed on an error page",
            Act::send(error),
            Reason::Status,
            "expect: status 500",
        )
        .status(500)
        .expect(&matches("a{32000}b")),
        up("on a short body", Act::ok("ab")).expect(&matches("a{1,10000}b")),
    ]);
}

#[test]
fn patterns_may_compile_to_a_megabyte_and_no_more() {
    let invalid = |name, pattern: &str, said: &str| {
        down(name, Act::ok(""), Reason::InvalidSite, said)
            .expect(&matches(pattern))
            .invalid()
    };
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    let lines = |count: usize| format!(r"(?s)^.{{{count}}}");
    run(vec![
        up("a pattern near the size", long())
            .expect(&matches(&lines(1_000)))
            .within_ms(4_000),
        invalid("a pattern beyond the size", &lines(100_000), "expect.body"),
        up("a pattern of 1 KiB", long()).expect(&matches(&"a".repeat(1_024))),
        invalid(
            "a pattern of 1 KiB and a byte",
            &"a".repeat(1_025),
            "expect.body",
        ),
        up("a pattern that nests", long()).expect(&matches(&nested(31))),
        invalid("a pattern that nests too deep", &nested(33), "expect.body"),
        invalid("no pattern", "(", "expect.body"),
    ]);
}

#[test]
fn a_body_beyond_the_limit_is_not_read_and_judged_as_far_as_that_goes() {
    let endless = || Act::Endless("HTTP/1.1 200 OK\r\n\r\n");
    let said = "expect: the body is larger than the checker's body_limit";
    let open = |name, expect: &str| {
        down(name, endless(), Reason::TooLarge, said)
            .expect(expect)
            .body(BODY_LIMIT)
    };
    run(vec![
        up("a match before the cut", endless())
            .expect(&matches("x{9}"))
            .body(BODY_LIMIT),
        open("a match up to the cut", &matches("x+")),
        open("a match at the end", &matches("x$")),
        open("no match before the cut", &matches("end")),
        open(
            "no match that is wanted",
            r#"{"body": [{"not_matches": "end"}]}"#,
        ),
        open(
            "a text beyond the cut",
            r#"{"body": [{"contains": "end"}]}"#,
        ),
        open(
            "no text that is wanted",
            r#"{"body": [{"not_contains": "end"}]}"#,
        ),
        up("a text before the cut", endless())
            .expect(r#"{"body": [{"contains": "xxx"}]}"#)
            .body(BODY_LIMIT),
        open("a size beyond the limit", r#"{"max_size": 1000000}"#),
        down(
            "a size before the cut",
            endless(),
            Reason::Size,
            "expect: the body has more than 1000 bytes",
        )
        .expect(r#"{"max_size": 1000}"#),
        down(
            "a match that is not wanted",
            endless(),
            Reason::Body,
            "expect: the body matches ",
        )
        .expect(r#"{"body": [{"not_matches": "xx"}]}"#),
        up("no text in a body of the limit", long())
            .expect(r#"{"body": [{"not_contains": "end"}]}"#)
            .body(BODY_LIMIT),
    ]);
}

#[test]
fn the_time_of_judging_is_not_the_sites() {
    let header = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(15_000));
    let server = Server::start(vec![Act::send(&header); 2]);
    let expect = r#"{"headers": {"X-A": {"matches": "a{3500}b"}}}"#;
    let task = task(&server.url("/"), "{}", expect);
    let prober = prober();
    // the first compiles the pattern
    prober.check(&task, STARTED);
    let begun = Instant::now();
    let result = prober.check(&task, STARTED);
    let elapsed = u64::try_from(begun.elapsed().as_micros()).unwrap();
    assert_eq!(result.reason, Some(Reason::Header), "{result:?}");
    let total = result.measured.phases.total_us;
    assert!(total < Some(elapsed / 2), "{elapsed}: {result:?}");
}
