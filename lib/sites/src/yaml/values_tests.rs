//! What [`Values`] makes of a text is what `serde_yaml` makes of it.

use proptest::prelude::*;
use runtime::config::from_yaml;

use super::*;

/// The value that a text is; nothing if it is no YAML.
fn read(text: &str) -> Option<Node> {
    let mut values = Values::new(text.as_bytes());
    let Some(event) = values.next_event().ok()? else {
        return Some(Node::Nothing);
    };
    let node = values.value(event).ok()?;
    values.next_event().ok()?.is_none().then_some(node)
}

/// The same without the digits that floating point has no room for: `serde_yaml` keeps no more.
fn as_floats(node: Node) -> Node {
    match node {
        Node::Number(number) => {
            // it makes 0 of -0
            let float = number.as_f64().map(|float| float + 0.0);
            let float = float.and_then(serde_json::Number::from_f64);
            Node::Number(float.unwrap())
        }
        Node::List(items) => Node::List(items.into_iter().map(as_floats).collect()),
        Node::Map(entries) => {
            let entries = entries.into_iter();
            Node::Map(entries.map(|(k, v)| (as_floats(k), as_floats(v))).collect())
        }
        other => other,
    }
}

/// Values without parts, as YAML writes them.
const SCALARS: &[&str] = &[
    "a",
    "b c",
    "1",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "1E+3",
    ".5",
    "5.",
    "-.inf",
    ".nan",
    ".NaN",
    "0x1f",
    "0o17",
    "0b11",
    "017",
    "1_000",
    "-",
    "--",
    "~",
    "null",
    "Null",
    "nULL",
    "true",
    "True",
    "tRUE",
    "yes",
    "no",
    "12:30",
    "2001-01-01",
    "'q'",
    "\"q\\n\"",
    "''",
    "'1'",
    "\"true\"",
    "99999999999999999999",
    "-99999999999999999999",
    "!!str 1",
    "!!int '1'",
    "!!int a",
    "!!float 1",
    "!!bool yes",
    "!!null ''",
    "!x 1",
    "! 1",
    "!!set a",
    "é",
    "🦀",
    "0",
    "-0",
    "00",
    "1.",
    "e3",
    "infinity",
    "nan",
    "+",
    "0x",
    "&a 1",
    "&b x",
    "a#b",
    "\"\\u0000\"",
];

/// Texts of which many are YAML.
fn yaml() -> impl Strategy<Value = String> {
    let scalar = proptest::sample::select(SCALARS).prop_map(str::to_owned);
    let flow = scalar.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec((inner.clone(), inner), 0..4).prop_map(|entries| {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    });
    let block = flow.clone().prop_recursive(3, 24, 4, |inner| {
        let indented = |text: &str| text.replace('\n', "\n  ");
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(move |items| {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| format!("- {}", indented(item)))
                    .collect();
                items.join("\n")
            }),
            proptest::collection::vec(inner, 1..4).prop_map(move |values| {
                let entries = values.iter().enumerate();
                let entries: Vec<_> = entries
                    .map(|(n, value)| format!("k{n}:\n  {}", indented(value)))
                    .collect();
                entries.join("\n")
            }),
        ]
    });
    prop_oneof![flow, block]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn a_text_means_what_it_meant_to_serde_yaml(text in yaml()) {
        if let (Some(read), Ok(meant)) = (read(&text), from_yaml::<Node>(&text)) {
            // each names what does not fit a tag in its own words
            prop_assert_eq!(as_floats(read), as_floats(meant), "{}", text);
        }
    }
}

#[test]
fn what_has_no_quotes_is_typed_as_serde_yaml_does() {
    let mut words: Vec<String> = Vec::new();
    let parts = [
        "", "+", "-", ".", "0", "1", "9", "x", "o", "b", "e", "E", "_", "inf", "nan", "~", "null",
        "true", "False",
    ];
    for first in parts {
        for second in parts {
            for third in parts {
                words.push(format!("{first}{second}{third}"));
            }
        }
    }
    for word in words {
        let text = format!("[{word}, x]");
        if let Ok(meant) = from_yaml::<Node>(&text)
            && let Some(read) = read(&text)
        {
            assert_eq!(as_floats(read), as_floats(meant), "{word:?}");
        }
    }
}
