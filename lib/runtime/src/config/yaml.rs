//! The one file that knows `serde_yaml` (archived upstream, so easy to replace from here).

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::error::Fault;
use super::node::Node;
use crate::yaml::check_bounds;

/// Reads a document that is no configuration (a part of the sites file): nothing is replaced in it. It
/// takes time and memory without bounds: the caller knows that the text is cheap.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

/// Parses a document: anchors and merge keys (`<<`) resolved, duplicate keys refused.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    // some editors put it there
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_bounds(text).map_err(|error| error.to_string())?;
    let mut value: Value = serde_yaml::from_str(text).map_err(|error| message(&error, text))?;
    value
        .apply_merge()
        .map_err(|_| "`<<` takes a section, or a list of them: name one by alias")?;
    node(value).map_err(|fault| fault.to_string())
}

/// The type that YAML gives to an unquoted scalar. What is not plainly a number, a truth value or
/// nothing is text, whatever YAML would make of its punctuation.
pub(super) fn typed(text: &str) -> Node {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Node::Null;
    }
    match serde_yaml::from_str(text).map(node) {
        Ok(Ok(typed @ (Node::Bool(_) | Node::Whole(_) | Node::Fraction(_))))
            if !text.contains(|c: char| c.is_whitespace() || c == '#') =>
        {
            typed
        }
        _ => Node::Text(text.to_owned()),
    }
}

/// What the parser says, with line and remedy where it lacks them, and never with a value, which may
/// be a secret.
fn message(error: &serde_yaml::Error, text: &str) -> String {
    let said = error.to_string();
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line(), at.column()));
    if said.contains("invalid value") {
        return format!("a value does not fit its `!!` tag at line {line}: leave the tag out");
    }
    if said.contains("invalid type: integer") {
        return format!("a number at line {line} is too large: put it in quotes if it is text");
    }
    if said.contains("repetition limit") {
        return "its aliases expand to far too much: write the values out".to_owned();
    }
    if said.contains("more than one document") {
        let line = text.lines().count() - text.lines().rev().take_while(|l| !is_start(l)).count();
        return format!("another document begins at line {line}: keep one");
    }
    if let Some(key) = duplicate_key(&said) {
        let line = second_line_of(key, text, line, column);
        return format!("the key `{key}` is there again at line {line}: keep one of the two");
    }
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    if line.contains("${") && said.contains("flow") {
        return format!("{said}: within brackets `${{…}}` needs quotes, as in `[\"${{VAR}}\"]`");
    }
    said
}

/// The first line, up to `last`, that is indented by a tab: YAML takes spaces only.
pub fn tab_line(text: &str, last: usize) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let tab = |line: &str| {
        line.get(..indent(line))
            .is_some_and(|start| start.contains('\t'))
    };
    let lines = text.lines().zip(1..).take(last);
    lines
        .filter(|(line, _)| tab(line))
        .map(|(_, number)| number)
        .next()
}

/// Whether a document begins with this line.
fn is_start(line: &str) -> bool {
    line == "---" || line.starts_with("--- ")
}

/// The key in the parser's message about a key that is there twice.
fn duplicate_key(said: &str) -> Option<&str> {
    let (_, key) = said.split_once("duplicate entry with key \"")?;
    key.split_once('"').map(|(key, _)| key)
}

/// Where a key stands for the second time: the parser only says where its section begins.
fn second_line_of(key: &str, text: &str, begin: usize, column: usize) -> usize {
    let start = format!("{}{key}:", " ".repeat(column.saturating_sub(1)));
    let lines = text.lines().zip(1..).skip(begin.saturating_sub(1));
    lines
        .filter(|(line, _)| line.starts_with(&start))
        .nth(1)
        .map_or(begin, |(_, number)| number)
}

/// From the parser's values to ours.
fn node(value: Value) -> Result<Node, Fault> {
    Ok(match value {
        Value::Null => Node::Null,
        Value::Bool(truth) => Node::Bool(truth),
        Value::Number(number) => number.as_i64().map_or_else(
            || Node::Fraction(number.as_f64().unwrap_or(f64::NAN)),
            Node::Whole,
        ),
        Value::String(text) => Node::Text(text),
        Value::Sequence(items) => Node::List(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| node(item).map_err(|fault| fault.under(&format!("[{index}]"))))
                .collect::<Result<_, _>>()?,
        ),
        Value::Mapping(entries) => {
            Node::Section(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Value::Tagged(tagged) => {
            let message = format!("the tag `{}` means nothing here: leave it out", tagged.tag);
            return Err(Fault::new("", message));
        }
    })
}

/// One entry of a mapping, its key as text.
fn entry((key, value): (Value, Value)) -> Result<(String, Node), Fault> {
    let key = match key {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => {
            return Err(Fault::new(
                "",
                "a key must be a word, not a list, a section or nothing",
            ));
        }
    };
    let value = node(value).map_err(|fault| fault.under(&key))?;
    Ok((key, value))
}
