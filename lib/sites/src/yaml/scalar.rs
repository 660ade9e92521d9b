//! A value without parts, and what its tag makes of it.

use contract::decimal::Decimal;
use runtime::config::from_yaml;

use super::node::Node;
use super::text;

/// The longest number, in characters.
const MAX_NUMBER_CHARS: usize = 1_024;
/// How tags begin that YAML itself defines.
const CORE: &str = "tag:yaml.org,2002:";

/// The name of a tag that YAML does not define.
pub(crate) fn local(tag: Option<&str>) -> Option<&str> {
    let name = tag?.strip_prefix('!')?;
    Some(if name.is_empty() { "!" } else { name })
}

/// A value without parts.
pub(super) fn scalar(value: String, plain: bool, tag: Option<&str>) -> Node {
    if let Some(tag) = local(tag) {
        return Node::tagged(tag);
    }
    let Some(core) = tag.and_then(|tag| tag.strip_prefix(CORE)) else {
        // what has another tag, or quotes, is text
        return if plain && tag.is_none() {
            typed(value)
        } else {
            Node::text(value)
        };
    };
    if !matches!(core, "null" | "bool" | "int" | "float") || value.len() > MAX_NUMBER_CHARS {
        return Node::text(value);
    }
    let json = serde_json::Value::String(value).to_string();
    from_yaml(&format!("!!{core} {}", text::json(&json))).unwrap_or_else(|_| {
        Node::Odd(format!(
            "{json} does not fit its tag !!{core}; leave the tag out"
        ))
    })
}

/// What a value without quotes is: only what begins like a number, a truth value or nothing can be other
/// than text.
fn typed(value: String) -> Node {
    let special = |c: char| c.is_ascii_digit() || "+-.~nNtTfF".contains(c);
    let word = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    let known = |c: char| c.is_ascii_alphanumeric() || c == '~';
    if value.is_empty() {
        return Node::Nothing;
    }
    if !value.starts_with(special)
        || value.len() > MAX_NUMBER_CHARS
        || !value.chars().all(word)
        || !value.contains(known)
    {
        return Node::text(value);
    }
    if Decimal::parse(&value).is_some() {
        return Node::number(&value);
    }
    match from_yaml(&value) {
        Ok(Node::Text(_)) | Err(_) => Node::text(value),
        Ok(node) => node,
    }
}
