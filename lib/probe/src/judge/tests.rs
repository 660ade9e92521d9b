//! What a body and a certificate are worth.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_cut_body_is_judged_as_the_whole_one_or_not_at_all(
        body in "[ab\\n]{0,12}",
        cut in 0_usize..12,
        key in prop::sample::select(vec!["contains", "not_contains", "matches", "not_matches"]),
        pattern in r"\^?(a|b|ab|\.|a\*|\(ab\)\+|b\?a|\[ab\]\{2\}){1,3}\$?",
    ) {
        let expect = format!(r#"{{"body": [{{"{key}": "{pattern}"}}]}}"#);
        let whole = verdict(&expect, &body, false);
        let cut = body.get(..cut.min(body.len())).unwrap();
        let judged = verdict(&expect, cut, true);
        prop_assert!(judged == whole || judged == Some(Reason::TooLarge), "{whole:?} {judged:?}");
        // what is there is judged as it is, whatever came before
        prop_assert_ne!(whole, Some(Reason::TooLarge));
    }

    #[test]
    fn a_header_has_the_value_that_is_expected_or_it_has_not(
        values in prop::collection::vec("[ab]{0,3}", 0..3), wanted in "[ab]{0,3}",
    ) {
        let mut headers = HeaderMap::new();
        for value in &values {
            headers.append("x-a", HeaderValue::from_str(value).unwrap());
        }
        let holds = |test: &str| {
            let expect = format!(r#"{{"headers": {{"X-A": {{{test}}}}}}}"#);
            let expect = Expect::parse(&expect).unwrap();
            judge_header(&expect.headers[0], &headers).is_ok()
        };
        let equals = values.contains(&wanted);
        prop_assert_eq!(holds(&format!(r#""equals": "{wanted}""#)), equals);
        prop_assert_eq!(holds(&format!(r#""matches": "^{wanted}$""#)), equals);
        prop_assert_eq!(holds(r#""present": true"#), !values.is_empty());
        prop_assert_eq!(holds(r#""present": false"#), values.is_empty());
    }
}

fn verdict(expect: &str, body: &str, cut: bool) -> Option<Reason> {
    let expect = Expect::parse(expect).unwrap();
    let cut = if cut { Cut::Limit } else { Cut::Whole };
    judge_body(&expect, &Text::plain(body.as_bytes(), cut))
        .err()
        .map(|fault| fault.reason)
}

#[test]
fn a_cut_body_is_judged_as_far_as_it_can_be() {
    for (expect, whole, cut) in [
        (r#"{"body": [{"contains": "ell"}]}"#, None, None),
        (
            r#"{"body": [{"contains": "xyz"}]}"#,
            Some(Reason::Body),
            Some(Reason::TooLarge),
        ),
        (
            r#"{"body": [{"not_contains": "ell"}]}"#,
            Some(Reason::Body),
            Some(Reason::Body),
        ),
        (
            r#"{"body": [{"not_contains": "xyz"}]}"#,
            None,
            Some(Reason::TooLarge),
        ),
        (r#"{"body": [{"matches": "h.l"}]}"#, None, None),
        (
            r#"{"body": [{"matches": "lo$"}]}"#,
            None,
            Some(Reason::TooLarge),
        ),
        (
            r#"{"body": [{"not_matches": "^h"}]}"#,
            Some(Reason::Body),
            Some(Reason::Body),
        ),
        (
            r#"{"body": [{"not_matches": "^x"}]}"#,
            None,
            Some(Reason::TooLarge),
        ),
        (r#"{"max_size": 9}"#, None, Some(Reason::TooLarge)),
        ("{}", None, None),
    ] {
        assert_eq!(verdict(expect, "hello", false), whole, "{expect}");
        assert_eq!(verdict(expect, "hello", true), cut, "{expect}, cut");
    }
}

#[test]
fn a_certificate_that_ends_soon_is_degraded() {
    // 2026-12-01 12:00:00 UTC
    const END: i64 = 1_796_126_400;
    let says = |end: Option<i64>, now| {
        let between = None;
        let end = end.map(|at_s| ChainEnd { at_s, between });
        let fault = judge_certificate(14, end.as_ref(), now).err()?;
        assert_eq!(fault.reason, Reason::CertificateExpiring);
        Some(fault.message)
    };
    for (left_s, message) in [
        (14 * DAY_S, None),
        (14 * DAY_S - 1, Some("ends on 2026-12-01, in 13 days")),
        (6 * DAY_S + 5, Some("ends on 2026-12-01, in 6 days")),
        (2 * DAY_S - 1, Some("ends on 2026-12-01, in 1 day")),
        (DAY_S - 1, Some("ends on 2026-12-01, in less than a day")),
        (-1, Some("ended on 2026-12-01")),
    ] {
        let message = message.map(|m| format!("the certificate {m}; expected at least 14"));
        assert_eq!(says(Some(END), END - left_s), message, "{left_s}");
    }
    assert_eq!(says(None, END), None, "plain http");
    for extreme in [i64::MIN, i64::MAX] {
        says(Some(extreme), 0);
        says(Some(0), extreme);
    }
}
