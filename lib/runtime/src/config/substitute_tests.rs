//! What is replaced in scalars, and what is refused.

use proptest::prelude::*;

use super::*;

/// An environment with one variable of each kind.
fn environment() -> ProcessEnvironment {
    let variables = [("NAME", "web"), ("EMPTY", "")];
    ProcessEnvironment {
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
        ..ProcessEnvironment::default()
    }
}

/// The text after substitution, changed or not.
fn read(text: &str) -> Result<String, String> {
    replaced(text, &environment()).map(|new| new.unwrap_or_else(|| text.to_owned()))
}

#[test]
fn every_form_is_replaced_by_what_it_stands_for() {
    for (written, expected) in [
        ("${NAME}", "web"),
        ("a${NAME}b${NAME}", "awebbweb"),
        ("${NAME:-other}", "web"),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("${UNSET:-}", ""),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$NAME $ $$ }", "$NAME $ $$ }"),
    ] {
        assert_eq!(read(written).as_deref(), Ok(expected), "{written}");
    }
}

#[test]
fn a_value_is_not_substituted_again() {
    let mut environment = environment();
    environment
        .variables
        .insert("OUTER".to_owned(), "${NAME}".into());
    assert_eq!(
        replaced("${OUTER}", &environment),
        Ok(Some("${NAME}".to_owned()))
    );
}

#[test]
fn what_cannot_be_replaced_is_refused() {
    for written in [
        "${UNSET}",
        "${",
        "${}",
        "${a b}",
        "${1}",
        "${A:-${B}}",
        "${secret:X}",
    ] {
        assert!(read(written).is_err(), "{written}");
    }
}

proptest! {
    #[test]
    fn text_without_a_dollar_is_unchanged(text in "[^$]*") {
        prop_assert_eq!(read(&text), Ok(text));
    }

    #[test]
    fn no_text_can_break_it(text in "([${}:-]|file:|NAME|EMPTY|\\PC){0,20}") {
        let untouched = !text.contains("${");
        prop_assert!(read(&text).is_ok_and(|new| new == text) || !untouched);
    }

    #[test]
    fn an_escaped_text_is_itself(text in "\\PC*") {
        prop_assume!(!text.contains("$${"));
        prop_assert_eq!(read(&text.replace("${", "$${")), Ok(text));
    }
}
