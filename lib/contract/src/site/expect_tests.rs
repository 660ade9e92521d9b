//! What `expect` accepts, and how it refuses the rest.

use proptest::prelude::*;

use super::super::json_rule::{JsonTest, Scalar};
use super::*;
use crate::decimal::Decimal;

#[test]
fn an_empty_expectation_is_any_2xx() {
    let expect = Expect::parse("{}").unwrap();
    assert_eq!(expect, Expect::default());
    assert!(expect.allows_status(200) && expect.allows_status(299));
    assert!(!expect.allows_status(199) && !expect.allows_status(301));
}

#[test]
fn every_key_is_read() {
    let expect = Expect::parse(
        r#"{"status": [200, "301-303", "4xx", "503"],
            "headers": {"A": {"present": false}, "B": {"equals": "b"}, "C": {"matches": "^c"}},
            "body": [{"contains": "a"}, {"not_contains": "b"}, {"matches": "c"}, {"not_matches": "d"}],
            "json": [{"path": "$.a", "exists": false}, {"equals": -0.5, "path": "$.b[*]"},
                {"path": "$", "less": 18446744073709551615}, {"path": "$", "greater": -7}, {"path": "$", "matches": "e"}],
            "max_time": "500ms", "certificate_days": 14, "max_size": 1000}"#,
    )
    .unwrap();
    for status in [200, 301, 302, 303, 400, 499, 503] {
        assert!(expect.allows_status(status), "{status}");
    }
    for status in [201, 300, 304, 500, 502, 504] {
        assert!(!expect.allows_status(status), "{status}");
    }
    assert_eq!(expect.headers[0].test, HeaderTest::Present(false));
    assert_eq!(expect.headers[1].test, HeaderTest::Equals("b".to_owned()));
    assert_eq!(expect.headers[2].name, "C");
    assert_eq!(expect.body[1], BodyRule::NotContains("b".to_owned()));
    let test = |index: usize| &expect.json[index].test;
    assert_eq!(test(0), &JsonTest::Exists(false));
    assert_eq!(expect.json[1].path.as_str(), "$.b[*]");
    let number = |text| Decimal::parse(text).unwrap();
    assert_eq!(test(1), &JsonTest::Equals(Scalar::Number(number("-0.5"))));
    assert_eq!(test(2), &JsonTest::Less(number("18446744073709551615")));
    assert_eq!(test(3), &JsonTest::Greater(number("-7")));
    assert_eq!(expect.patterns(), 4);
    assert_eq!(expect.certificate_days, Some(14));
    assert_eq!(expect.max_time, Some(Duration::from_millis(500)));
    assert_eq!(expect.max_size, Some(1_000));
}

#[test]
fn a_value_of_json_may_be_any_that_has_no_others_in_it() {
    for (value, scalar) in [
        ("null", Scalar::Null),
        ("true", Scalar::Bool(true)),
        ("7", Scalar::Number(Decimal::parse("7").unwrap())),
        (
            "12345678901234567890123",
            Scalar::Number(Decimal::parse("12345678901234567890123").unwrap()),
        ),
        (r#""7""#, Scalar::Text("7".to_owned())),
        (r#""""#, Scalar::Text(String::new())),
    ] {
        let json = format!(r#"{{"json": [{{"path": "$", "equals": {value}}}]}}"#);
        let expect = Expect::parse(&json).unwrap();
        assert_eq!(expect.json[0].test, JsonTest::Equals(scalar), "{value}");
    }
}

#[test]
fn nonsense_is_refused_with_its_place_and_the_remedy() {
    const RULE: &str = r#"{"path": "$.status", "equals": "ok"}"#;
    const STATUS: &str = r#"write a status like 200, "301-303" or "2xx""#;
    for (json, fault) in [
        ("7", r#"expect: is a number; write an object like {"status": [200]}"#.to_owned()),
        (r#"{"jsn": []}"#, "expect.jsn: unknown key; known are status, headers, body, json, max_time, certificate_days, max_size".to_owned()),
        (r#"{"status": 200}"#, r#"expect.status: is a number; write a list like [200, "301-303", "2xx"]"#.to_owned()),
        (r#"{"status": []}"#, "expect.status: is empty, so nothing would be healthy; leave it out for 2xx".to_owned()),
        (r#"{"status": [200, 99]}"#, format!("expect.status[1]: 99 is no status; {STATUS}")),
        (r#"{"status": [2e2]}"#, format!("expect.status[0]: is a number that is negative or not whole; {STATUS}")),
        (r#"{"status": ["2x"]}"#, format!("expect.status[0]: 2x is no status; {STATUS}")),
        (r#"{"status": ["+20"]}"#, format!("expect.status[0]: +20 is no status; {STATUS}")),
        (r#"{"status": ["303-301"]}"#, r#"expect.status[0]: "303-301" runs backwards; write "301-303""#.to_owned()),
        (r#"{"status": [null]}"#, format!("expect.status[0]: is null; {STATUS}")),
        (r#"{"headers": {"A": "b"}}"#, r#"expect.headers.A: is a string; write an object like {"present": true}"#.to_owned()),
        (r#"{"headers": {"A": {}}}"#, "expect.headers.A: needs exactly one of present, equals, matches".to_owned()),
        (r#"{"headers": {"A": {"is": 1}}}"#, "expect.headers.A.is: unknown key; known are present, equals, matches".to_owned()),
        (r#"{"headers": {"A": {"present": "yes"}}}"#, "expect.headers.A.present: is a string; write true or false".to_owned()),
        (r#"{"headers": {"A\n": {"present": true}}}"#, "expect.headers.A\\n: \"A\\n\" is no header name; use letters, digits and hyphens".to_owned()),
        (r#"{"body": {"contains": "a"}}"#, r#"expect.body: is an object; write a list like [{"contains": "ok"}]"#.to_owned()),
        (r#"{"body": [{"contains": ""}]}"#, "expect.body[0].contains: is empty, which is in every body; write some text".to_owned()),
        (r#"{"body": [{"contains": "a", "matches": "b"}]}"#, "expect.body[0]: needs exactly one of contains, not_contains, matches, not_matches".to_owned()),
        (r#"{"body": [{"contains": "a"}, {"matches": "("}]}"#, "expect.body[1].matches: is no regular expression (unclosed group); see docs.rs/regex for the syntax".to_owned()),
        (r#"{"body": [{"matches": "\\w{999}{99}"}]}"#, "expect.body[0].matches: the pattern compiles to more than 1048576 bytes; repeat less".to_owned()),
        (r#"{"json": {"path": "$"}}"#, format!("expect.json: is an object; write a list like [{RULE}]")),
        (r#"{"json": ["$.a"]}"#, format!("expect.json[0]: is a string; write an object like {RULE}")),
        (r#"{"json": [{"equals": 1}]}"#, "expect.json[0]: lacks path; add it".to_owned()),
        (r#"{"json": [{"path": "$"}]}"#, "expect.json[0]: needs exactly one of exists, equals, less, greater, matches".to_owned()),
        (r#"{"json": [{"path": "$", "less": 2, "greater": 1}]}"#, "expect.json[0]: needs exactly one of exists, equals, less, greater, matches".to_owned()),
        (r#"{"json": [{"path": "$", "is": 1}]}"#, "expect.json[0].is: unknown key; known are path, exists, equals, less, greater, matches".to_owned()),
        (r#"{"json": [{"path": 1, "equals": 1}]}"#, "expect.json[0].path: is a number; write a path like $.status".to_owned()),
        (r#"{"json": [{"path": "a", "equals": 1}]}"#, r#"expect.json[0].path: "a" does not begin with $; write one like $.status"#.to_owned()),
        (r#"{"json": [{"path": "$", "exists": 1}]}"#, "expect.json[0].exists: is a number; write true or false".to_owned()),
        (r#"{"json": [{"path": "$", "equals": [1]}]}"#, "expect.json[0].equals: is an array; write a string, a number, true, false or null".to_owned()),
        (r#"{"json": [{"path": "$", "equals": {}}]}"#, "expect.json[0].equals: is an object; write a string, a number, true, false or null".to_owned()),
        (r#"{"json": [{"path": "$", "less": "2"}]}"#, "expect.json[0].less: is a string; write a number like 0.5".to_owned()),
        (r#"{"json": [{"path": "$", "greater": null}]}"#, "expect.json[0].greater: is null; write a number like 0.5".to_owned()),
        (r#"{"json": [{"path": "$", "matches": "("}]}"#, "expect.json[0].matches: is no regular expression (unclosed group); see docs.rs/regex for the syntax".to_owned()),
        (r#"{"json": [{"path": "$", "equals": 1e400}]}"#, "expect.json[0].equals: is a number of more than 400 digits; write a shorter one".to_owned()),
        (r#"{"certificate_days": 0}"#, "expect.certificate_days: 0 is out of range; write 1 to 3650 days".to_owned()),
        (r#"{"certificate_days": 3651}"#, "expect.certificate_days: 3651 is out of range; write 1 to 3650 days".to_owned()),
        (r#"{"certificate_days": "14d"}"#, "expect.certificate_days: is a string; write a number of days like 14".to_owned()),
        (r#"{"max_time": 500}"#, r#"expect.max_time: is a number; write a duration like "500ms""#.to_owned()),
        (r#"{"max_time": "0s"}"#, r#"expect.max_time: is zero; write a duration like "500ms""#.to_owned()),
        (r#"{"max_size": 1.5}"#, "expect.max_size: is a number that is negative or not whole; write a number of bytes like 100000".to_owned()),
    ] {
        assert_eq!(Expect::parse(json).unwrap_err().to_string(), fault, "{json}");
    }
    let soon = Expect::parse(r#"{"max_time": "soon"}"#)
        .unwrap_err()
        .to_string();
    assert!(
        soon.starts_with(r#"expect.max_time: "soon" is no duration ("#),
        "{soon}"
    );
}

#[test]
fn patterns_that_could_run_away_are_refused() {
    let long = format!(r#"{{"body": [{{"matches": "{}"}}]}}"#, "a".repeat(1_025));
    assert_eq!(
        Expect::parse(&long).unwrap_err().to_string(),
        "expect.body[0].matches: the pattern is 1025 bytes long; at most 1024"
    );
    let deep = format!(
        r#"{{"body": [{{"matches": "{}a{}"}}]}}"#,
        "(".repeat(40),
        ")".repeat(40)
    );
    let error = Expect::parse(&deep).unwrap_err().to_string();
    assert!(error.contains("nest"), "{error}");
    let rules = vec![r#"{"contains": "a"}"#; 33].join(",");
    assert_eq!(
        Expect::parse(&format!(r#"{{"body": [{rules}]}}"#))
            .unwrap_err()
            .to_string(),
        "expect.body: has 33 entries; at most 32"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in r#"\{("(status|headers|body|json|max_time|certificate_days|max_size)": ?(\[("\PC{0,9}"|-?[0-9]{1,30}|\{("path": ?"\$\PC{0,9}", ?)?"(matches|contains|equals|less)": ?("\PC{0,9}"|-?[0-9.]{1,30})\}|,){0,3}\]|"\PC{0,9}"|[0-9]{1,30}|null),?){0,3}\}|\PC{0,40}"#,
    ) {
        if let Err(error) = Expect::parse(&text) {
            prop_assert!(error.key.starts_with("expect"));
        }
    }
}

/// Expectations with these patterns on the body.
fn on_body(patterns: impl Iterator<Item = String>) -> String {
    let rules = patterns.map(|pattern| serde_json::json!({"matches": pattern}).to_string());
    format!(r#"{{"body": [{}]}}"#, rules.collect::<Vec<_>>().join(", "))
}

#[test]
fn the_patterns_of_a_site_have_a_bound_together_wherever_they_stand() {
    let large = r"\\w{20}";
    let said = "the patterns up to this one take ";
    let remedy = "of memory; all of a site may take 2097152; repeat less in them, or write fewer";
    for (json, key) in [
        (
            on_body((0..32).map(|n| format!(r"{n}\w{{20}}"))),
            "expect.body[1].matches",
        ),
        (
            format!(
                r#"{{"headers": {{"A": {{"matches": "{large}"}}, "B": {{"matches": "{large}"}}}}}}"#
            ),
            "expect.headers.B.matches",
        ),
        (
            format!(
                r#"{{"json": [{{"path": "$", "matches": "{large}"}}], "body": [{{"not_matches": "{large}"}}]}}"#
            ),
            "expect.json[0].matches",
        ),
    ] {
        let error = Expect::parse(&json).unwrap_err();
        assert_eq!(error.key, key);
        assert!(
            error.message.starts_with(said) && error.message.ends_with(remedy),
            "{error}"
        );
    }
}

#[test]
fn as_many_ordinary_patterns_as_there_are_rules_fit_a_site() {
    let expect = Expect::parse(&on_body(
        (0..32).map(|n| format!(r#""state{n}":\s*"(ok|UP)""#)),
    ));
    let expect = expect.unwrap();
    assert_eq!(expect.patterns(), 32);
    assert!(expect.memory_bytes() < super::super::pattern::MAX_SITE_BYTES);
}

#[test]
fn a_text_of_more_values_than_any_site_needs_is_not_read() {
    let flat = format!(r#"{{"status": [{}]}}"#, vec!["200"; 2_000].join(","));
    let nested = format!(r#"{{"status": [{}]}}"#, vec!["[[0,1],[2]]"; 400].join(","));
    for json in [flat, nested] {
        let error = Expect::parse(&json).unwrap_err().to_string();
        assert_eq!(error, "expect: has more than 1024 values; write fewer");
    }
    let right = format!(r#"{{"status": [{}]}}"#, vec!["200"; 1_022].join(","));
    let error = Expect::parse(&right).unwrap_err().to_string();
    assert_eq!(error, "expect.status: has 1022 entries; at most 32");
}
