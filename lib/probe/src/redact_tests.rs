//! What is shown of a text in which secrets stand.

use contract::text::is_harmless;
use proptest::prelude::*;

use super::*;
use crate::secrets::revealed::{Revealed, placeholder};

/// The values, each with a name: A, B and so on.
fn revealed<'v>(values: impl IntoIterator<Item = &'v str>) -> Revealed {
    let mut revealed = Revealed::default();
    for (name, value) in ('A'..='Z').zip(values) {
        revealed.add(placeholder(&name.to_string()), value);
    }
    revealed
}

#[test]
fn values_are_shown_by_their_names() {
    const A: &str = "${secret:A}";
    const B: &str = "${secret:B}";
    for (values, text, expected) in [
        (&["hunter2"][..], "", String::new()),
        (&["hunter2"], "hunter", "hunter".to_owned()),
        (&["hunter2"], "is hunter2!", format!("is {A}!")),
        (&["hunter2"], "hunter2hunter2", format!("{A}{A}")),
        (&["hunter2"], "HUNTER2.example", format!("{A}.example")),
        (&["hünter"], "/h%c3%BCnter", format!("/{A}")),
        (&["a b\"c"], "/?k=a%20b%22c", format!("/?k={A}")),
        (&["50%25"], "50%25", A.to_owned()),
        (&["50%x"], "50%25x 50%x", format!("{A} {A}")),
        (&["two\nlines"], "two\nlines\n", format!("{A}·")),
        (
            &["user", "user:word"],
            "user:word user:",
            format!("{B} {A}:"),
        ),
        (
            &["user:word", "user"],
            "user:word user:",
            format!("{A} {B}:"),
        ),
        // what was replaced before is not replaced again
        (&["secret"], "${secret:A} secret", format!("{A} {A}")),
        // a text that was cut inside a value
        (&["0123456789"], "is 01234567", format!("is {A}")),
        (&["0123456789"], "is 0123456", "is 0123456".to_owned()),
        (&[""], "nothing", "nothing".to_owned()),
    ] {
        let shown = revealed(values.iter().copied()).printable(text.as_bytes(), 300);
        assert_eq!(shown, expected, "{values:?} in {text:?}");
    }
}

#[test]
fn a_value_at_the_cut_is_replaced_before_the_text_is_shortened() {
    let long = "v".repeat(10_000);
    let revealed = revealed([long.as_str()]);
    let text = format!("{}{long}", "x".repeat(60));
    let shown = revealed.printable(text.as_bytes(), 64);
    assert_eq!(shown, format!("{}${{se…", "x".repeat(60)));
    let shown = revealed.printable(long.as_bytes(), 64);
    assert_eq!(shown, "${secret:A}");
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such_and_hide_no_value() {
    let text = b"\xff\xe2\x82hunter2\xf0\x9f\x98\x80\xc3";
    assert_eq!(
        revealed(["hunter2"]).printable(text, 300),
        "\u{fffd}\u{fffd}${secret:A}\u{1f600}\u{fffd}"
    );
    let plain = revealed([]).printable(text, 300);
    assert_eq!(plain, String::from_utf8_lossy(text));
}

#[test]
fn a_url_without_secrets_is_not_copied() {
    observed::begin(std::time::Duration::ZERO, 0);
    assert!(matches!(url("http://a.example/"), Cow::Borrowed(_)));
    observed::with(|observed| observed.revealed.add(placeholder("A"), "hunter2"));
    assert_eq!(
        url("http://a.example/?hunter2"),
        "http://a.example/?${secret:A}"
    );
    let printed = observed::with(|observed| format!("{observed:?}"));
    assert!(
        printed.contains("***") && !printed.contains("hunter2"),
        "{printed}"
    );
}

proptest! {
    /// The letters of the values are none of those that stand for them.
    #[test]
    fn no_value_survives_in_a_text_made_of_its_pieces(
        values in prop::collection::vec("[abxyé\n]{4,9}", 1..4),
        pieces in prop::collection::vec((0_usize..4, 0_usize..9, 0_usize..10, "[ab·é\u{1f600}]{0,2}"), 0..9),
        limit in 0_usize..80,
    ) {
        let mut text = String::new();
        for (index, from, to, between) in pieces {
            let value: Vec<char> = values[index % values.len()].chars().collect();
            let (from, to) = (from.min(value.len()), to.min(value.len()));
            text.extend(value.get(from..to).unwrap_or(&value));
            text.push_str(&between);
        }
        let revealed = revealed(values.iter().map(String::as_str));
        let whole = revealed.printable(text.as_bytes(), usize::MAX);
        for value in &values {
            prop_assert!(!whole.contains(value), "{value:?} in {whole:?}");
            prop_assert!(!whole.contains(&value.replace('\n', "·")) || text.contains('·'), "{value:?} in {whole:?}");
        }
        // what is shortened is the beginning of what is not
        let short = revealed.printable(text.as_bytes(), limit);
        let start = short.strip_suffix('…').unwrap_or(&short);
        prop_assert!(whole.starts_with(start) && start.chars().count() <= limit, "{short:?}");
        prop_assert_eq!(short.len() == start.len(), start.len() == whole.len());
        // and what was shown before is shown again as it is
        prop_assert_eq!(revealed.printable(whole.as_bytes(), usize::MAX), whole);
    }

    #[test]
    fn without_values_a_text_is_shown_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let shown = revealed([]).printable(&bytes, usize::MAX);
        let mask = |c: char| if is_harmless(c) { c } else { '·' };
        let expected: String = String::from_utf8_lossy(&bytes).chars().map(mask).collect();
        prop_assert_eq!(shown, expected);
    }
}
