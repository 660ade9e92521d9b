//! Values as they are written into a sites file.

use std::fmt::Write as _;
use std::time::Duration;

use contract::text::is_harmless;

/// Words that YAML, or some version of it, takes for something else than text.
const RESERVED: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// The longest key that needs no mark, with its quotes (YAML 1.2, 7.4.2; there in characters).
const MAX_KEY_BYTES: usize = 1_024;

/// A duration in milliseconds as people write it: `1m 30s`.
pub(crate) fn duration(ms: i32) -> String {
    humantime::format_duration(Duration::from_millis(ms.unsigned_abs().into())).to_string()
}

/// A text: plain where that is beyond doubt, else quoted.
pub(crate) fn text(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        json(&serde_json::Value::from(text).to_string())
    }
}

/// Whether the text means itself without quotes.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(':')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:?=&%+~".contains(c))
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// JSON as YAML, on one line: the same text, but for a mark at keys that are too long for YAML without
/// one, and for characters that it does not take as they are. Those can only stand in strings, so that
/// escaping them changes no value.
pub(crate) fn json(json: &str) -> String {
    let mut yaml = String::with_capacity(json.len());
    // where the last string begins, whether it goes on, and whether a backslash came last in it
    let (mut start, mut open, mut escaped) = (0, false, false);
    for c in json.chars() {
        match c {
            '"' if !open => (start, open) = (yaml.len(), true),
            '"' if !escaped => open = false,
            ':' if !open && yaml.len() - start > MAX_KEY_BYTES => yaml.insert_str(start, "? "),
            _ => {}
        }
        escaped = open && c == '\\' && !escaped;
        push(&mut yaml, c);
    }
    yaml
}

/// Appends a character of a JSON text. libyaml's reader refuses some of those that are not harmless, takes
/// others for line breaks, and people see none of them.
fn push(yaml: &mut String, c: char) {
    let code = u32::from(c);
    // writing to a String cannot fail
    let _infallible = match code {
        _ if is_harmless(c) => yaml.write_char(c),
        0..=0xffff => write!(yaml, "\\u{code:04x}"),
        _ => write!(yaml, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_only_where_it_could_be_misread() {
        for (plain, yaml) in [
            ("shop", "shop"),
            (
                "https://a.example/b?c=%20&d=1",
                "https://a.example/b?c=%20&d=1",
            ),
            ("shop one", "\"shop one\""),
            ("Yes", "\"Yes\""),
            ("12", "\"12\""),
            ("~", "\"~\""),
            ("key:", "\"key:\""),
            ("a #b", "\"a #b\""),
            ("say \"hi\"\n", r#""say \"hi\"\n""#),
            (
                "\u{7f}\u{85}\u{2028}\u{feff}é🦀",
                r#""\u007f\u0085\u2028\ufeffé🦀""#,
            ),
            ("\u{202e}\u{200b}\u{e0041}", r#""\u202e\u200b\U000e0041""#),
            ("", "\"\""),
        ] {
            assert_eq!(text(plain), yaml);
        }
    }

    #[test]
    fn durations_are_written_as_people_do() {
        for (ms, text) in [(100, "100ms"), (90_000, "1m 30s"), (86_400_000, "1day")] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn json_means_the_same_in_yaml_however_long_its_keys_are() {
        for (length, mark) in [(1, ""), (1_022, ""), (1_023, "? "), (10_000, "? ")] {
            let key = "k".repeat(length);
            let text = |mark: &str| {
                format!(
                    r#"{{"a":["b\\\":",{{{mark}"{key}": {{{mark}"{key}":"{key}: c"}}}}],"d":1}}"#
                )
            };
            assert_eq!(json(&text("")), text(mark));
            let value: serde_json::Value = serde_json::from_str(&text("")).unwrap();
            assert_eq!(
                runtime::config::from_yaml(&text(mark)),
                Ok(value),
                "{length}"
            );
        }
    }
}
