//! That a pass finds what a tree would, and what documents may do to a lane.

use std::thread;

use contract::outcome::Reason;
use contract::site::Expect;
use contract::site::json_path::{JsonPath, MAX_STEPS};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::judge_json;
use super::*;
use crate::decode::{Cut, Text};

/// The verdict of some rules: `None` if they hold.
fn verdict(rules: &str, body: &[u8], cut: bool) -> Option<Reason> {
    let rules = Expect::parse(&format!(r#"{{"json": [{rules}]}}"#)).unwrap();
    let cut = if cut { Cut::Limit } else { Cut::Whole };
    judge_json(&rules.json, &Text::plain(body, cut))
        .err()
        .map(|fault| fault.reason)
}

#[test]
fn the_deepest_path_into_the_deepest_document_fits_a_lanes_stack() {
    let deep = "[".repeat(1 << 20);
    let closed = format!("{}{}", "[".repeat(1 << 19), "]".repeat(1 << 19));
    let deepest = format!(
        r#"{{"path": "${}", "exists": true}}"#,
        "[0]".repeat(MAX_STEPS)
    );
    let objects = format!(r#"{{"path": "${}", "equals": 1}}"#, ".*".repeat(MAX_STEPS));
    let nested = format!("{}1{}", r#"{"a":"#.repeat(MAX_STEPS), "}".repeat(MAX_STEPS));
    let lane = thread::Builder::new().stack_size(1 << 20).spawn(move || {
        for path in [&deepest, r#"{"path": "$[0]", "exists": true}"#] {
            assert_eq!(verdict(path, closed.as_bytes(), false), None);
            assert_eq!(verdict(path, deep.as_bytes(), true), None);
            assert_eq!(verdict(path, deep.as_bytes(), false), Some(Reason::Json));
        }
        let nowhere = r#"{"path": "$[1]", "exists": false}"#;
        assert_eq!(verdict(nowhere, closed.as_bytes(), false), None);
        assert_eq!(
            verdict(nowhere, deep.as_bytes(), true),
            Some(Reason::TooLarge)
        );
        assert_eq!(verdict(&objects, nested.as_bytes(), false), None);
    });
    lane.unwrap().join().unwrap();
}

/// Documents in which short paths lead somewhere.
fn documents() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(1.0), Just(-1e300)].prop_map(Value::from),
        "[ae\"\\\\\u{1}é😀]{0,3}".prop_map(Value::from),
    ];
    let inner = scalar.prop_recursive(3, 24, 3, parents);
    parents(inner.boxed())
}

/// Arrays and objects of such values.
fn parents(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
        prop::collection::btree_map("[ab]|é\"", inner, 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect())),
    ]
}

/// A rule on such documents.
fn rule() -> impl Strategy<Value = String> {
    let step = prop::sample::select(vec![
        ".a",
        "['b']",
        "[\"é\\\"\"]",
        "[0]",
        "[1]",
        "[*]",
        ".*",
    ]);
    let path = prop::collection::vec(step, 0..4).prop_map(|steps| format!("${}", steps.concat()));
    let test = prop::sample::select(vec![
        json!({"exists": true}),
        json!({"exists": false}),
        json!({"equals": null}),
        json!({"equals": true}),
        json!({"equals": 1}),
        json!({"equals": "a"}),
        json!({"less": 0.5}),
        json!({"greater": -1}),
        json!({"matches": "a"}),
    ]);
    (path, test).prop_map(|(path, mut test)| {
        test["path"] = path.into();
        test.to_string()
    })
}

/// What a path leads to, a generation of values at a time.
fn selected<'v>(path: &JsonPath, document: &'v Value) -> Vec<&'v Value> {
    let mut values = vec![document];
    for step in path.steps() {
        let below = |value: &'v Value| -> Vec<&'v Value> {
            match (step, value) {
                (Step::Name(name), Value::Object(members)) => {
                    members.get(name).into_iter().collect()
                }
                (Step::Index(index), Value::Array(elements)) => elements
                    .get(usize::try_from(*index).unwrap())
                    .into_iter()
                    .collect(),
                (Step::Any, Value::Object(members)) => members.values().collect(),
                (Step::Any, Value::Array(elements)) => elements.iter().collect(),
                _ => vec![],
            }
        };
        values = values.into_iter().flat_map(below).collect();
    }
    values
}

/// Whether a rule holds, read off the values that its path leads to.
fn holds(rule: &str, document: &Value) -> bool {
    let rule: Value = serde_json::from_str(rule).unwrap();
    let values = selected(
        &JsonPath::parse(rule["path"].as_str().unwrap()).unwrap(),
        document,
    );
    let all = |passes: &dyn Fn(&Value) -> bool| {
        !values.is_empty() && values.iter().all(|value| passes(value))
    };
    let number = |value: &Value| value.as_f64();
    if let Some(wanted) = rule.get("exists") {
        values.is_empty() != wanted.as_bool().unwrap()
    } else if let Some(wanted) = rule.get("equals") {
        all(&|value| match number(wanted) {
            Some(wanted) => number(value) == Some(wanted),
            None => value == wanted,
        })
    } else if let Some(limit) = rule.get("less") {
        all(&|value| number(value).is_some_and(|value| value < number(limit).unwrap()))
    } else if let Some(limit) = rule.get("greater") {
        all(&|value| number(value).is_some_and(|value| value > number(limit).unwrap()))
    } else {
        all(&|value| value.as_str().is_some_and(|text| text.contains('a')))
    }
}

proptest! {
    #[test]
    fn a_rule_holds_where_a_naive_reading_of_the_tree_says_so(
        document in documents(), rules in prop::collection::vec(rule(), 8),
    ) {
        let body = document.to_string();
        let says = |rule: &String| (!holds(rule, &document)).then_some(Reason::Json);
        for rule in &rules {
            prop_assert_eq!(verdict(rule, body.as_bytes(), false), says(rule), "{}", rule);
        }
        let all = rules.iter().find_map(says);
        prop_assert_eq!(verdict(&rules.join(","), body.as_bytes(), false), all);
    }

    #[test]
    fn a_cut_body_is_judged_as_the_whole_one_or_not_at_all(
        document in documents(), rules in prop::collection::vec(rule(), 3),
    ) {
        let body = document.to_string();
        for rule in &rules {
            let whole = verdict(rule, body.as_bytes(), false);
            for end in 0..=body.len() {
                let cut = verdict(rule, &body.as_bytes()[..end], true);
                prop_assert!(cut == whole || cut == Some(Reason::TooLarge), "{rule}: {end}: {cut:?}");
            }
        }
    }

    #[test]
    fn no_body_makes_the_reader_panic(
        body in prop::collection::vec(prop::sample::select(b"[]{}\",:\\u0e1.-tn\xff ".to_vec()), 0..40),
        rule in rule(), cut in any::<bool>(),
    ) {
        verdict(&rule, &body, cut);
    }
}
