//! `${…}` in a sites file: a secret by its name, or a slip of the pen.
//!
//! Nothing but `${secret:NAME}` is ever replaced, and that in `request` only. Anything else of this form is
//! meant to be replaced by a person who writes it, and would be sent to the site as it is: so it is refused.
//! `$${` stands for `${` itself. The database has it without the second dollar, as a checker reads it.

use std::borrow::Cow;

/// How a variable begins.
const OPEN: &str = "${";
/// How a secret goes on.
const SECRET: &str = "secret:";
/// The longest name that a message proposes, in characters.
const MAX_PROPOSED_CHARS: usize = 64;

/// Whether secrets have their place under this key, a path.
pub(crate) fn takes_secrets(key: &str) -> bool {
    key == "request" || key.starts_with("request.")
}

/// A text of the file as the database has it; the error says what would be right.
pub(crate) fn unescaped(text: &str, secrets: bool) -> Result<Cow<'_, str>, String> {
    if !text.contains(OPEN) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if secrets && after.starts_with(SECRET) {
            out.push_str(before);
        } else if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
        } else {
            return Err(refusal(after, secrets));
        }
        out.push_str(OPEN);
        rest = after;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

/// A text of the database as the file has it.
pub(crate) fn escaped(text: &str, secrets: bool) -> Cow<'_, str> {
    if !text.contains(OPEN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        if !(secrets && after.starts_with(SECRET)) {
            out.push('$');
        }
        out.push_str(OPEN);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What is wrong with `${` and what follows.
fn refusal(after: &str, secrets: bool) -> String {
    let inside = after.split_once('}').map_or(after, |(inside, _)| inside);
    let name = proposed(inside);
    let literal = "`$${` is a literal `${`";
    if secrets {
        format!("only secrets are put in; write `${{secret:{name}}}` for one, {literal}")
    } else {
        format!(
            "nothing is put in here; a secret belongs into `request`, as `${{secret:{name}}}`, {literal}"
        )
    }
}

/// The name of a secret that a person may have meant.
fn proposed(inside: &str) -> String {
    let is_kind = |word: &str| {
        ["secret", "secrets", "env", "file", "var"]
            .iter()
            .any(|kind| kind.eq_ignore_ascii_case(word))
    };
    let name = match inside.split_once([':', '.']) {
        Some((kind, name)) if is_kind(kind.trim()) => name,
        Some((name, _)) => name,
        None => inside,
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let name: String = name
        .trim()
        .chars()
        .take_while(|c| fits(*c))
        .take(MAX_PROPOSED_CHARS)
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if name.is_empty() {
        "NAME".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_variable_that_is_no_secret_is_refused_with_the_secret_that_may_be_meant() {
        for (text, name) in [
            ("${API_TOKEN}", "API_TOKEN"),
            ("Bearer ${api-token}", "API_TOKEN"),
            ("${secrets:NAME}", "NAME"),
            ("${SECRET:NAME}", "NAME"),
            ("${env:NAME}", "NAME"),
            ("${NAME:-default}", "NAME"),
            ("${ NAME }", "NAME"),
            ("${secret.NAME}", "NAME"),
            ("${file:/run/token}", "NAME"),
            ("${", "NAME"),
            ("${}", "NAME"),
            ("${secret:A} ${B}", "B"),
        ] {
            let refused = unescaped(text, true).unwrap_err();
            let said = format!(
                "only secrets are put in; write `${{secret:{name}}}` for one, `$${{` is a literal `${{`"
            );
            assert_eq!(refused, said, "{text}");
        }
        assert_eq!(
            unescaped("https://a/?key=${secret:KEY}", false).unwrap_err(),
            "nothing is put in here; a secret belongs into `request`, as `${secret:KEY}`, `$${` is a literal `${`"
        );
    }

    #[test]
    fn what_is_meant_as_it_stands_is_taken() {
        for (file, database) in [
            ("$5 {a} $ { }", "$5 {a} $ { }"),
            ("${secret:A}", "${secret:A}"),
            ("$${HOME}", "${HOME}"),
            ("$$${HOME}", "$${HOME}"),
            ("$${secret:A}", "$${secret:A}"),
        ] {
            assert_eq!(unescaped(file, true).as_deref(), Ok(database));
            assert_eq!(escaped(database, true), file);
        }
        assert_eq!(
            unescaped("$${secret:A}", false).as_deref(),
            Ok("${secret:A}")
        );
    }

    proptest! {
        #[test]
        fn what_is_exported_is_read_as_the_same(text in r"(\$|\{|\}|secret:|[A-Z]|\PC){0,12}", secrets: bool) {
            let file = escaped(&text, secrets).into_owned();
            let read = unescaped(&file, secrets).map(Cow::into_owned);
            prop_assert_eq!(read, Ok(text));
        }
    }
}
