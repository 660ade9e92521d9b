//! Which templates are accepted, and what stands in them once they are filled.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

fn filled(text: &str) -> String {
    let shout = |name: &str| Ok::<_, Infallible>(format!("<{name}>"));
    Template::parse(text).unwrap().fill(shout).unwrap()
}

#[test]
fn only_secrets_are_replaced() {
    for (text, expected) in [
        ("", ""),
        (
            "plain $ { } ${HOME} ${file:/etc/passwd}",
            "plain $ { } ${HOME} ${file:/etc/passwd}",
        ),
        ("${secret:A}", "<A>"),
        ("a${secret:A_1}b${secret:B}", "a<A_1>b<B>"),
        ("$${secret:A}}", "$<A>}"),
    ] {
        assert_eq!(filled(text), expected, "{text}");
    }
}

#[test]
fn a_secret_alone_is_known_as_such() {
    let only = |text: &str| {
        Template::parse(text)
            .unwrap()
            .only_secret()
            .map(str::to_owned)
    };
    assert_eq!(only("${secret:KEY}").as_deref(), Some("KEY"));
    assert_eq!(only("${secret:KEY} "), None);
    assert_eq!(only("KEY"), None);
}

#[test]
fn what_is_printed_of_a_template_are_its_secrets_names() {
    for (text, printed) in [
        ("", ""),
        ("hunter2", "***"),
        (
            "Basic ${secret:A}x${secret:B}",
            "***${secret:A}***${secret:B}",
        ),
    ] {
        assert_eq!(format!("{:?}", Template::parse(text).unwrap()), printed);
    }
}

#[test]
fn what_is_no_name_is_refused_with_the_remedy() {
    let long = format!("${{secret:{}}}", "A".repeat(65));
    for text in [
        "${secret:}",
        "${secret:a}",
        "${secret:A-B}",
        "${secret:../A}",
        &long,
    ] {
        let message = Template::parse(text).unwrap_err();
        assert!(
            message.ends_with("write at most 64 of A-Z, 0-9 and _"),
            "{message}"
        );
    }
    assert!(Template::parse(&"${secret:A}".repeat(64)).is_ok());
    assert_eq!(
        Template::parse(&"${secret:A}".repeat(65)).unwrap_err(),
        "has more than 64 secrets; name fewer"
    );
    assert_eq!(
        Template::parse("x ${secret:A").unwrap_err(),
        "${secret: is not closed; write ${secret:NAME}"
    );
}

proptest! {
    #[test]
    fn a_template_filled_with_its_own_names_is_the_text(
        text in r"(\PC{0,5}|\$\{secret:[A-Z_]{0,3}\}?){0,6}",
    ) {
        if let Ok(template) = Template::parse(&text) {
            let same = |name: &str| Ok::<_, Infallible>(format!("${{secret:{name}}}"));
            prop_assert_eq!(template.fill(same).unwrap(), text);
        }
    }
}
