//! `${VAR}`, `${VAR:-default}`, `${file:PATH}` and `$${` in scalars.

use super::environment::ProcessEnvironment;
use super::error::Fault;
use super::node::Node;

/// Replaces in every scalar of `node`; faults are collected under `key`.
pub(super) fn substitute(
    node: &mut Node,
    key: &str,
    environment: &ProcessEnvironment,
    faults: &mut Vec<Fault>,
) {
    match node {
        Node::Text(text) => match replaced(text, environment) {
            Ok(None) => {}
            Ok(Some(text)) => *node = Node::Replaced(text),
            Err(message) => faults.push(Fault::new(key, message)),
        },
        Node::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                substitute(item, &format!("{key}[{index}]"), environment, faults);
            }
        }
        Node::Section(entries) => {
            for (name, value) in entries {
                let inner = Fault::new(name.as_str(), "").under(key).key;
                substitute(value, inner.trim_start_matches('.'), environment, faults);
            }
        }
        Node::Null | Node::Bool(_) | Node::Whole(_) | Node::Fraction(_) | Node::Replaced(_) => {}
    }
}

/// The text with everything replaced; none when there is nothing to replace.
fn replaced(text: &str, environment: &ProcessEnvironment) -> Result<Option<String>, String> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(literal) = before.strip_suffix('$') {
            done.push_str(literal);
            done.push_str("${");
            rest = after;
            continue;
        }
        done.push_str(before);
        let (expression, tail) = after
            .split_once('}')
            .ok_or("`${` without `}`: close it, or write `$${` for a literal")?;
        done.push_str(&value(expression, environment)?);
        rest = tail;
    }
    done.push_str(rest);
    Ok(Some(done))
}

/// What stands for the expression between `${` and `}`.
fn value(expression: &str, environment: &ProcessEnvironment) -> Result<String, String> {
    if let Some(path) = expression.strip_prefix("file:") {
        return environment.file(path).map_err(|problem| {
            format!("`${{file:…}}`: {problem} (relative paths start at the working directory)")
        });
    }
    let (name, default) = match expression.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (expression, None),
    };
    if !is_variable_name(name) || default.is_some_and(|default| default.contains("${")) {
        return Err(
            "must be `${VAR}`, `${VAR:-default}` or `${file:PATH}`, not nested; \
                    write `$${` for a literal `${`"
                .to_owned(),
        );
    }
    match (environment.variable(name)?, default) {
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!(
            "the environment variable {name} is not set: set it, or write `${{{name}:-default}}`"
        )),
    }
}

/// As POSIX names variables.
fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
#[path = "substitute_tests.rs"]
mod tests;
