//! Which texts are numbers, and how they compare.

use proptest::prelude::*;

use super::*;

/// How two numbers compare.
fn order(one: &str, other: &str) -> Ordering {
    Decimal::parse(other).unwrap().order(one).unwrap()
}

proptest! {
    #[test]
    fn whole_numbers_compare_as_numbers(one in any::<i128>(), other in any::<i128>()) {
        prop_assert_eq!(order(&one.to_string(), &other.to_string()), one.cmp(&other));
        prop_assert_eq!(order(&format!("{one}.00"), &format!("{one}00e-2")), Ordering::Equal);
        let next = one.saturating_add(1);
        prop_assert_eq!(order(&one.to_string(), &next.to_string()), one.cmp(&next));
    }

    #[test]
    fn fractions_compare_as_numbers_of_hundredths(one in -9_999_i64..9_999, other in -9_999_i64..9_999) {
        let written = |n: i64| {
            let sign = if n < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", n.unsigned_abs() / 100, n.unsigned_abs() % 100)
        };
        prop_assert_eq!(order(&written(one), &written(other)), one.cmp(&other));
        prop_assert_eq!(order(&written(one), &format!("{other}e-2")), one.cmp(&other));
    }

    #[test]
    fn what_json_takes_for_a_number_is_one(text in "-?[0-9.eE+-]{1,8}") {
        let number = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Decimal::parse(&text).is_some(), number, "{}", text);
    }
}

#[test]
fn numbers_that_floating_point_cannot_tell_apart_differ() {
    for (one, other, ordering) in [
        (
            "12345678901234567890123",
            "12345678901234567890124",
            Ordering::Less,
        ),
        (
            "12345678901234567890123",
            "12345678901234567890123",
            Ordering::Equal,
        ),
        ("9007199254740993", "9007199254740992.0", Ordering::Greater),
        ("1", "1.0", Ordering::Equal),
        ("1e3", "1000", Ordering::Equal),
        ("0.001E+3", "1", Ordering::Equal),
        ("-0", "0.00e5", Ordering::Equal),
        ("-1", "0", Ordering::Less),
        ("-2", "-1.5", Ordering::Less),
        ("0.30000000000000000001", "0.3", Ordering::Greater),
        ("1e999", "1e998", Ordering::Greater),
        ("1e99999999999999999999", "1", Ordering::Greater),
        ("1e-99999999999999999999", "0", Ordering::Greater),
        ("-1e99999999999999999999", "-1", Ordering::Less),
    ] {
        assert_eq!(order(one, other), ordering, "{one} {other}");
        assert_eq!(order(other, one), ordering.reverse(), "{other} {one}");
    }
}

#[test]
fn a_number_that_fills_pages_when_it_is_written_out_is_too_long() {
    let long = |text: &str| Decimal::parse(text).unwrap().is_too_long();
    assert!(!long("1e308") && !long("-5e-324") && !long(&"9".repeat(400)));
    assert!(long("1e400") && long("1e-400") && long(&"9".repeat(401)));
    assert!(long("1e99999999999999999999"));
}
