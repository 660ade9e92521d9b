//! What rules say about documents, whole and cut.

use contract::site::Expect;

use super::*;

/// The verdict of some rules: `holds`, `too_large`, or what people are told.
fn says(rules: &str, body: &[u8], cut: bool) -> String {
    let rules = Expect::parse(&format!(r#"{{"json": [{rules}]}}"#)).unwrap();
    let cut = if cut { Cut::Limit } else { Cut::Whole };
    match judge_json(&rules.json, &Text::plain(body, cut)) {
        Ok(()) => "holds".to_owned(),
        Err(fault) if fault.reason == Reason::TooLarge => "too_large".to_owned(),
        Err(fault) => {
            assert_eq!((fault.reason, &*fault.place), (Reason::Json, "expect"));
            fault.message
        }
    }
}

/// What most rules are about; it is whole, but more may follow where it says that it was cut.
const BODY: &str = r#"{"ok": true, "no": null, "n": 7, "half": -0.5, "big": 18446744073709551615, "text": "he said \"up\"",
    "list": [{"s": "up", "n": 1}, {"s": "down", "n": 2}, {"s": "up", "n": 3}], "empty": [], "7": {"a b": [[0]]}}"#;

/// A rule, its verdict on the whole body, and on the body with more to come.
#[rustfmt::skip]
const JUDGED: &[(&str, &str, &str)] = &[
    (r#"{"path": "$.no", "exists": true}"#, "holds", "holds"),
    (r#"{"path": "$.none", "exists": true}"#, "$.none is not there, expected a value", "too_large"),
    (r#"{"path": "$.none", "exists": false}"#, "holds", "too_large"),
    (r#"{"path": "$.text", "exists": false}"#, r#"$.text is "he said "up"", expected no value"#, r#"$.text is "he said "up"", expected no value"#),
    (r#"{"path": "$", "exists": true}"#, "holds", "holds"),
    (r#"{"path": "$.list[*]", "exists": true}"#, "holds", "holds"),
    (r#"{"path": "$.empty[*]", "exists": true}"#, "$.empty[*] is not there, expected a value", "too_large"),
    (r#"{"path": "$.empty.*", "exists": false}"#, "holds", "too_large"),

    (r#"{"path": "$.text", "equals": "he said \"up\""}"#, "holds", "holds"),
    (r#"{"path": "$.text", "equals": "down"}"#, r#"$.text is "he said "up"", expected "down""#, r#"$.text is "he said "up"", expected "down""#),
    (r#"{"path": "$.none", "equals": "up"}"#, r#"$.none is not there, expected "up""#, "too_large"),
    (r#"{"path": "$.ok", "equals": true}"#, "holds", "holds"),
    (r#"{"path": "$.ok", "equals": false}"#, "$.ok is true, expected false", "$.ok is true, expected false"),
    (r#"{"path": "$.no", "equals": null}"#, "holds", "holds"),
    (r#"{"path": "$.ok", "equals": null}"#, "$.ok is true, expected null", "$.ok is true, expected null"),
    (r#"{"path": "$.n", "equals": 7.0}"#, "holds", "holds"),
    (r#"{"path": "$.n", "equals": "7"}"#, r#"$.n is 7, expected "7""#, r#"$.n is 7, expected "7""#),
    (r#"{"path": "$.list", "equals": "up"}"#, r#"$.list is an array, expected "up""#, r#"$.list is an array, expected "up""#),
    (r#"{"path": "$['7']", "equals": 0}"#, "$['7'] is an object, expected 0", "$['7'] is an object, expected 0"),
    (r#"{"path": "$['7'][\"a b\"][0][0]", "equals": 0}"#, "holds", "holds"),
    (r#"{"path": "$.list[1].s", "equals": "down"}"#, "holds", "holds"),
    (r#"{"path": "$.list[3].s", "equals": "down"}"#, r#"$.list[3].s is not there, expected "down""#, "too_large"),
    (r#"{"path": "$.list.s", "equals": "down"}"#, r#"$.list.s is not there, expected "down""#, "too_large"),
    (r#"{"path": "$[0]", "equals": true}"#, "$[0] is not there, expected true", "too_large"),
    (r#"{"path": "$.list[*].s", "equals": "up"}"#, r#"$.list[*].s is "down", expected "up""#, r#"$.list[*].s is "down", expected "up""#),
    (r#"{"path": "$.list[*].t", "equals": "up"}"#, r#"$.list[*].t is not there, expected "up""#, "too_large"),

    (r#"{"path": "$.n", "less": 7.5}"#, "holds", "holds"),
    (r#"{"path": "$.n", "less": 7}"#, "$.n is 7, expected less than 7", "$.n is 7, expected less than 7"),
    (r#"{"path": "$.none", "less": 7}"#, "$.none is not there, expected less than 7", "too_large"),
    (r#"{"path": "$.text", "less": 7}"#, r#"$.text is "he said "up"", expected less than 7"#, r#"$.text is "he said "up"", expected less than 7"#),
    (r#"{"path": "$.half", "less": -0.25}"#, "holds", "holds"),
    (r#"{"path": "$.list[*].n", "less": 4}"#, "holds", "too_large"),
    (r#"{"path": "$.list[*].n", "less": 2}"#, "$.list[*].n is 2, expected less than 2", "$.list[*].n is 2, expected less than 2"),
    (r#"{"path": "$.n", "greater": 6.5}"#, "holds", "holds"),
    (r#"{"path": "$.n", "greater": 7}"#, "$.n is 7, expected more than 7", "$.n is 7, expected more than 7"),
    (r#"{"path": "$.none", "greater": 7}"#, "$.none is not there, expected more than 7", "too_large"),
    (r#"{"path": "$.no", "greater": -1}"#, "$.no is null, expected more than -1", "$.no is null, expected more than -1"),
    (r#"{"path": "$.big", "greater": 18446744073709551614}"#, "holds", "holds"),
    (r#"{"path": "$.big", "less": 1e20}"#, "holds", "holds"),

    (r#"{"path": "$.text", "matches": "\"up\"$"}"#, "holds", "holds"),
    (r#"{"path": "$.text", "matches": "^up"}"#, r#"$.text is "he said "up"", expected a match of "^up""#, r#"$.text is "he said "up"", expected a match of "^up""#),
    (r#"{"path": "$.none", "matches": ""}"#, r#"$.none is not there, expected a match of """#, "too_large"),
    (r#"{"path": "$.n", "matches": "7"}"#, r#"$.n is 7, expected a match of "7""#, r#"$.n is 7, expected a match of "7""#),

    // all rules in one pass; of several that fail, the first one speaks
    (r#"{"path": "$.list[*].n", "greater": 0}, {"path": "$.list[0].n", "equals": 1}, {"path": "$.list", "exists": true}"#, "holds", "too_large"),
    (r#"{"path": "$.ok", "equals": true}, {"path": "$['7']", "exists": false}, {"path": "$.n", "less": 1}"#, "$['7'] is an object, expected no value", "$['7'] is an object, expected no value"),
    ("", "holds", "holds"),
];

#[test]
fn a_rule_holds_for_all_that_its_path_leads_to_or_says_what_it_found() {
    for (rules, whole, cut) in JUDGED {
        assert_eq!(says(rules, BODY.as_bytes(), false), *whole, "{rules}");
        assert_eq!(says(rules, BODY.as_bytes(), true), *cut, "{rules}, cut");
    }
}

#[test]
fn numbers_compare_exactly() {
    for (body, test, holds) in [
        ("1", r#""equals": 1.0"#, true),
        ("-0", r#""equals": 0"#, true),
        ("1e2", r#""equals": 100"#, true),
        ("9007199254740993", r#""equals": 9007199254740992"#, false),
        ("9007199254740993", r#""greater": 9007199254740992"#, true),
        ("9007199254740993", r#""equals": 9007199254740992.0"#, false),
        (
            "12345678901234567890123",
            r#""equals": 12345678901234567890123"#,
            true,
        ),
        (
            "12345678901234567890124",
            r#""equals": 12345678901234567890123"#,
            false,
        ),
        ("1e999", r#""greater": 1e308"#, true),
        ("0.10", r#""equals": 0.1"#, true),
        (
            "-9223372036854775808",
            r#""less": -9223372036854775807"#,
            true,
        ),
        ("-1", r#""less": 18446744073709551615"#, true),
        ("0.1", r#""greater": 0"#, true),
        ("true", r#""equals": 1"#, false),
    ] {
        let said = says(
            &format!(r#"{{"path": "$", {test}}}"#),
            body.as_bytes(),
            false,
        );
        assert_eq!(said == "holds", holds, "{body} {test}: {said}");
    }
}

/// No JSON, and what is said of it.
#[rustfmt::skip]
const NO_JSON: &[(&[u8], &str)] = &[
    (b"", "the body is empty, which is no JSON"),
    (b"  ", r#"the body is no JSON (EOF while parsing a value at line 1 column 2); it begins with "  ""#),
    (b"<html>", r#"the body is no JSON (expected value at line 1 column 1); it begins with "<html>""#),
    (b"{\"a\": 1}\n{}", r#"the body is no JSON (trailing characters at line 2 column 1); it begins with "{"a": 1}·{}""#),
    (b"{\"a\": 1,}", r#"the body is no JSON (key must be a string at line 1 column 9); it begins with "{"a": 1,}""#),
    (b"{\"a\": 1, \"b\": [nul]}", r#"the body is no JSON (expected ident at line 1 column 19); it begins with "{"a": 1, "b": [nul]}""#),
    (b"{\"a\": \"\xff\"}", "the body is no JSON (a string in it is no UTF-8); it begins with \"{\"a\": \"\u{fffd}\"}\""),
    (b"{\"a\": 1", r#"the body is no JSON (EOF while parsing an object at line 1 column 7); it begins with "{"a": 1""#),
];

#[test]
fn a_body_that_is_no_json_is_told_with_its_place() {
    for (body, message) in NO_JSON {
        // the first one holds, or is missed, before the fault is met
        for rule in [
            r#"{"path": "$.a", "equals": 1}"#,
            r#"{"path": "$.a", "less": 0}"#,
        ] {
            assert_eq!(says(rule, body, false), *message);
        }
    }
    // what is wrong before the cut is wrong, what is merely not there yet is not
    let rule = r#"{"path": "$.a", "exists": true}"#;
    assert!(
        says(rule, b"{\"b\": nil, \"", true).starts_with("the body is no JSON (expected ident")
    );
    assert!(says(rule, b"{} x", true).starts_with("the body is no JSON (trailing"));
    for start in [
        "",
        "{\"b\": \"\\ud83d",
        "{\"a",
        "[tr",
        "[-",
        "[1.",
        "[1e",
        "[1e+",
    ] {
        assert_eq!(says(rule, start.as_bytes(), true), "too_large", "{start}");
    }
}

#[test]
fn half_a_surrogate_pair_is_json() {
    for (body, name) in [
        (&br#"{"name": "A\udc00B", "b\ud800": 1}"#[..], "A\u{fffd}B"),
        (
            br#"{"b\udfff": [], "name": "\ud83d\ude00\ud83d"}"#,
            "😀\u{fffd}",
        ),
    ] {
        let rule = serde_json::json!({"path": "$.name", "equals": name}).to_string();
        assert_eq!(says(&rule, body, false), "holds");
    }
    let any = r#"{"path": "$.*", "exists": true}"#;
    assert_eq!(says(any, br#"{"\udc00": 1}"#, false), "holds");
}

#[test]
fn a_number_at_the_cut_is_not_taken_for_a_whole_one() {
    let rule = r#"{"path": "$.n", "less": 100}"#;
    assert_eq!(says(rule, b"{\"n\": 12", true), "too_large");
    assert_eq!(says(rule, b"{\"n\": 12,", true), "holds");
    assert_eq!(
        says(rule, b"{\"n\": 123 ", true),
        "$.n is 123, expected less than 100"
    );
}

#[test]
fn a_name_that_stands_twice_counts_twice() {
    let rule = r#"{"path": "$.s", "equals": "up"}"#;
    for body in [r#"{"s": "up", "s": "down"}"#, r#"{"s": "down", "s": "up"}"#] {
        assert_eq!(
            says(rule, body.as_bytes(), false),
            r#"$.s is "down", expected "up""#
        );
    }
}

#[test]
fn what_is_quoted_is_short_and_printable() {
    let body = format!(r#"{{"s": "a\nb{}"}}"#, "x".repeat(100));
    let path = format!("$['{}']", "p".repeat(100));
    assert_eq!(
        says(r#"{"path": "$.s", "equals": 1}"#, body.as_bytes(), false),
        format!("$.s is \"a·b{}…\", expected 1", "x".repeat(61))
    );
    assert_eq!(
        says(
            &format!(r#"{{"path": "{path}", "exists": true}}"#),
            b"{}",
            false
        ),
        format!("$['{}… is not there, expected a value", "p".repeat(61))
    );
}
