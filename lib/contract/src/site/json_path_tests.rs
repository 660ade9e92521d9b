//! Which paths are read, and how the others are refused.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Step {
    Step::Name(text.to_owned())
}

#[test]
fn names_indexes_and_wildcards_are_read_as_rfc_9535_says() {
    for (text, steps) in [
        ("$", vec![]),
        ("$.status", vec![name("status")]),
        ("$._a1.é", vec![name("_a1"), name("é")]),
        ("$['a b']", vec![name("a b")]),
        (r#"$["a"]['']"#, vec![name("a"), name("")]),
        ("$['a]']['.*']", vec![name("a]"), name(".*")]),
        (r#"$['"']["'"]"#, vec![name("\""), name("'")]),
        (r#"$['\'']["\""]"#, vec![name("'"), name("\"")]),
        (r"$['\b\f\n\r\t\/\\']", vec![name("\u{8}\u{c}\n\r\t/\\")]),
        (
            r"$['\u00e9\u00E9']['\ud83d\ude00']",
            vec![name("éé"), name("😀")],
        ),
        ("$[0][7]", vec![Step::Index(0), Step::Index(7)]),
        (
            "$[9007199254740991]",
            vec![Step::Index(9_007_199_254_740_991)],
        ),
        ("$[*].*", vec![Step::Any, Step::Any]),
        (
            "$.items[*].*['x'][0].y",
            vec![
                name("items"),
                Step::Any,
                Step::Any,
                name("x"),
                Step::Index(0),
                name("y"),
            ],
        ),
    ] {
        let path = JsonPath::parse(text).unwrap();
        assert_eq!(path.steps(), steps, "{text}");
        assert_eq!(path.as_str(), text);
        assert_eq!(path.is_plural(), text.contains("[*]"), "{text}");
    }
}

/// What is refused, and how.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("", r#""" does not begin with $; write one like $.status"#),
    ("status", r#""status" does not begin with $; write one like $.status"#),
    ("$status", r#""status" is no step; write .name, ['name'], [0] or [*]"#),
    ("$ .a", r#"" .a" is no step; write .name, ['name'], [0] or [*]"#),
    ("$*", r#""*" is no step; write .name, ['name'], [0] or [*]"#),
    ("$.*a", r#""a" is no step; write .name, ['name'], [0] or [*]"#),
    ("$..a", ".. searches at every depth; write each step, like $.a.b"),
    ("$.a..*", ".. searches at every depth; write each step, like $.a.b"),
    ("$.", "a dot has no name after it; write .name or .*"),
    ("$.a.[0]", "a dot has no name after it; write .name or .*"),
    ("$.a-b", r#"the name "a-b" needs quotes; write ['a-b']"#),
    ("$.it's", r#"the name "it's" needs quotes; write ['it\'s']"#),
    ("$.0", r#"the name "0" needs quotes; write ['0']"#),
    ("$.a b", r#"the name "a b" needs quotes; write ['a b']"#),
    ("$.a.length()", ".length() calls a function; write the path to a value"),
    ("$(a)", r#""(a)" calls a function; write the path to a value"#),
    ("$[length(@)]", "[length(@)] calls a function; write the path to a value"),
    ("$[?@.a == 1]", "[?@.a == 1] is a filter; write [*], or the index of the one that counts"),
    ("$[?(@.a)]", "[?(@.a)] is a filter; write [*], or the index of the one that counts"),
    ("$[-1]", "[-1] counts from the end; write an index from the start, like [0]"),
    ("$[0:2]", "[0:2] is a slice; write a rule for each index, or [*]"),
    ("$[:]", "[:] is a slice; write a rule for each index, or [*]"),
    ("$[-2:]", "[-2:] is a slice; write a rule for each index, or [*]"),
    ("$[0,1]", "[0,1] lists several steps; write a rule for each, or [*]"),
    ("$['a','b']", "[…,…] lists several steps; write a rule for each, or [*]"),
    ("$[]", "[] is no step; write ['name'], [0] or [*]"),
    ("$[a]", "[a] is no step; write ['name'], [0] or [*]"),
    ("$[ 0 ]", "[ 0 ] is no step; write ['name'], [0] or [*]"),
    ("$[+1]", "[+1] is no step; write ['name'], [0] or [*]"),
    ("$[1.0]", "[1.0] is no step; write ['name'], [0] or [*]"),
    ("$[07]", "[07] begins with a zero; write it without, like [7]"),
    ("$[9007199254740992]", "[9007199254740992] is too large; at most 9007199254740991"),
    ("$[99999999999999999999]", "[99999999999999999999] is too large; at most 9007199254740991"),
    ("$[", "a bracket is not closed; write ['name'], [0] or [*]"),
    ("$[0", "a bracket is not closed; write ['name'], [0] or [*]"),
    ("$['a'", "a bracket is not closed after 'a'; add ]"),
    ("$[\"a\" ]", "a bracket is not closed after \"a\"; add ]"),
    ("$['a", "a name is not closed; add ']"),
    ("$[\"a']", "a name is not closed; add \"]"),
    (r"$['a\']", "a name is not closed; add ']"),
    ("$['a\n']", r"a name has '\n' in it; write \u000a"),
    (r"$['\x']", r"\x is no escape; write one of \b \f \n \r \t \/ \\ \' \uXXXX"),
    (r#"$['\"']"#, r#"\" is no escape; write one of \b \f \n \r \t \/ \\ \' \uXXXX"#),
    (r#"$["\'"]"#, r#"\' is no escape; write one of \b \f \n \r \t \/ \\ \" \uXXXX"#),
    (r"$['\", r"\ is no escape; write one of \b \f \n \r \t \/ \\ \' \uXXXX"),
    (r"$['\u00e']", r"\u lacks digits; write four, like \u00e9"),
    (r"$['\u+0e9']", r"\u lacks digits; write four, like \u00e9"),
    (r"$['\ud83d']", r"\uXXXX is half of a character; write both halves, like \ud83d\ude00"),
    (r"$['\ude00\ud83d']", r"\uXXXX is half of a character; write both halves, like \ud83d\ude00"),
    (r"$['\ud83d\u0041']", r"\uXXXX is half of a character; write both halves, like \ud83d\ude00"),
];

#[test]
fn what_may_visit_a_document_many_times_or_is_no_path_is_refused_with_the_remedy() {
    for (text, message) in REFUSED {
        assert_eq!(JsonPath::parse(text).unwrap_err(), *message, "{text}");
    }
}

#[test]
fn a_path_is_bounded_in_bytes_and_steps() {
    let longest = format!("$['{}']", "a".repeat(MAX_PATH_BYTES - 5));
    assert!(JsonPath::parse(&longest).is_ok());
    assert_eq!(
        JsonPath::parse(&"$".repeat(257)).unwrap_err(),
        "the path is 257 bytes long; at most 256"
    );
    assert!(JsonPath::parse(&format!("${}", ".a".repeat(64))).is_ok());
    assert_eq!(
        JsonPath::parse(&format!("${}", "[0]".repeat(65))).unwrap_err(),
        "the path has 65 steps; at most 64"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in r#"\$?(\.{0,2}\PC{0,3}|\[['"]?(\PC|\\u?[0-9a-f]{0,5}|[\-0-9:,?*()]{1,3}){0,3}['"]?\]?|\PC{0,9}){0,4}"#,
    ) {
        if let Ok(path) = JsonPath::parse(&text) {
            prop_assert_eq!(path.as_str(), text);
            prop_assert!(path.steps().len() <= MAX_STEPS);
        }
    }

    #[test]
    fn any_name_can_be_written_in_quotes(names in prop::collection::vec(".{0,8}", 0..4)) {
        // what JSON escapes in a string, a path may escape in the same way
        let quoted = |name: &String| format!("[{}]", serde_json::to_string(name).unwrap());
        let text: String = names.iter().map(quoted).collect();
        let steps: Vec<_> = names.into_iter().map(Step::Name).collect();
        prop_assume!(text.len() < MAX_PATH_BYTES);
        let path = JsonPath::parse(&format!("${text}")).unwrap();
        prop_assert_eq!(path.steps(), steps);
    }
}
