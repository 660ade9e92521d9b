//! What the message promises.

use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{MAX_DETAIL_CHARS, Phases};
use super::*;

const GOLDEN: &str = concat!(
    r#"{"v":1,"installation":"0f3c9a1b","site_id":42,"scheduled_at":1795449600123,"reason":"status","#,
    r#""measured":{"started_at_us":1795449600123456,"status":503,"phases":{"dns_us":1,"connect_us":2,"#,
    r#""tls_us":3,"wait_us":4,"receive_us":5,"total_us":15},"body_bytes":1024,"address":"192.0.2.7","#,
    r#""certificate_expires_at_s":1798041600},"detail":"expect: status 503"}"#
);
const GOLDEN_UNMEASURED: &str = concat!(
    r#"{"v":1,"installation":"0f3c9a1b","site_id":42,"scheduled_at":1795449600123,"reason":"late","#,
    r#""measured":{"started_at_us":null,"status":null,"phases":{"dns_us":null,"connect_us":null,"#,
    r#""tls_us":null,"wait_us":null,"receive_us":null,"total_us":null},"body_bytes":null,"address":null,"#,
    r#""certificate_expires_at_s":null},"detail":null}"#
);
const DUE: UnixMs = UnixMs(1_795_449_600_123);
const NOW: UnixMs = DUE.plus_ms(1_000);

fn ours() -> Installation {
    "0f3c9a1b".parse().unwrap()
}

fn decode(message: &str) -> Result<CheckResult, ResultError> {
    CheckResult::decode(message.as_bytes(), NOW, ours())
}

fn encode(result: &CheckResult) -> String {
    let mut bytes = Vec::new();
    result.encode(ours(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn golden() -> CheckResult {
    CheckResult {
        check: CheckKey::new(SiteId(42), DUE),
        reason: Some(Reason::Status),
        measured: Measured {
            started_at_us: Some(DUE.to_us().plus_us(456)),
            status: Some(503),
            phases: Phases {
                dns_us: Some(1),
                connect_us: Some(2),
                tls_us: Some(3),
                wait_us: Some(4),
                receive_us: Some(5),
                total_us: Some(15),
            },
            body_bytes: Some(1_024),
            address: Some([192, 0, 2, 7].into()),
            certificate_expires_at_s: Some(1_798_041_600),
        },
        detail: Some("expect: status 503".to_owned()),
    }
}

#[test]
fn the_bytes_of_a_result_never_change() {
    assert_eq!(encode(&golden()), GOLDEN);
    let late = CheckResult::unmeasured(CheckKey::new(SiteId(42), DUE), Reason::Late);
    assert_eq!(encode(&late), GOLDEN_UNMEASURED);
    assert_eq!(decode(GOLDEN).unwrap(), golden());
    assert_eq!(decode(GOLDEN_UNMEASURED).unwrap(), late);
}

#[test]
fn a_site_that_is_up_has_no_reason() {
    let up = GOLDEN.replace("\"status\",", "null,");
    assert_eq!(decode(&up).unwrap().reason, None);
    assert_eq!(encode(&decode(&up).unwrap()), up);
}

#[test]
fn poison_is_what_no_checker_of_ours_wrote() {
    for (message, fault) in [
        ("", "not a JSON object"),
        ("null", "not a JSON object"),
        ("[1,2,3]", "not a JSON object"),
        ("{}", "missing field"),
        (r#"{"v":2,"installation":"0f3c9a1b"}"#, "v is 2"),
        (&GOLDEN.replace("\"v\":1", "\"v\":7"), "v is 7"),
        (&GOLDEN.replace("0f3c9a1b", "0F3C9A1B"), "8 hex digits"),
        (
            &GOLDEN.replace(",\"detail\":\"expect: status 503\"}", ""),
            "EOF",
        ),
        (
            &GOLDEN.replace("\"reason\":\"status\",", ""),
            "missing field `reason`",
        ),
        (
            &GOLDEN.replace("\"status\",", "\"bored\","),
            "\"bored\" is no reason",
        ),
        (&GOLDEN.replace("192.0.2.7", "shop.example"), "IP address"),
        (&GOLDEN.replace(":503,", ":-1,"), "invalid value"),
        (&GOLDEN.replace(":503,", ":99,"), "status is 99"),
        (&GOLDEN.replace(":503,", ":1000,"), "status is 1000"),
        (
            &GOLDEN.replace("1798041600", "253402300800"),
            "certificate_expires_at_s is 253402300800",
        ),
        (
            &GOLDEN.replace("1795449600123,", "1895449600123,"),
            "more than 60 s ahead",
        ),
        (
            &GOLDEN.replace("1795449600123,", "1695449600123,"),
            "more than 173460 s old",
        ),
        (
            &GOLDEN.replace("1795449600123456", "1"),
            "started_at_us 1 is before the due instant",
        ),
    ] {
        let error = decode(message).unwrap_err();
        assert!(
            matches!(error, ResultError::Poison(_)),
            "{message}: {error:?}"
        );
        assert!(error.to_string().contains(fault), "{message}: {error}");
    }
}

#[test]
fn a_message_of_another_installation_is_theirs_whatever_else_it_says() {
    let theirs = GOLDEN.replace("0f3c9a1b", "0f3c9a1c");
    for message in [
        theirs.replace("1795449600123,", "1,"),
        theirs.replace("1795449600123,", "\"soon\","),
        theirs.replace(":503,", ":1000,"),
        theirs,
    ] {
        let error = decode(&message).unwrap_err();
        assert!(
            matches!(error, ResultError::Foreign(id) if id.to_string() == "0f3c9a1c"),
            "{message}: {error:?}"
        );
    }
}

#[test]
fn instants_are_believed_to_the_edge_and_not_beyond() {
    let read = |age_ms: i64, start_ms: i64| {
        let mut result = golden();
        let due = NOW.plus_ms(-age_ms);
        result.check.scheduled_at = due;
        result.measured.started_at_us = Some(due.plus_ms(start_ms).to_us());
        decode(&encode(&result)).is_ok()
    };
    let oldest = 173_460_000;
    for (age_ms, start_ms) in [
        (0, 0),
        (-60_000, 0),
        (oldest, 0),
        (0, -60_000),
        (0, 60_000),
        (oldest, oldest + 60_000),
    ] {
        assert!(read(age_ms, start_ms), "{age_ms} {start_ms}");
    }
    for (age_ms, start_ms) in [
        (-60_001, 0),
        (oldest + 1, 0),
        (0, -60_001),
        (0, 60_001),
        (oldest, oldest + 60_001),
    ] {
        assert!(!read(age_ms, start_ms), "{age_ms} {start_ms}");
    }
}

#[test]
fn a_detail_that_is_too_long_is_cut_as_checkers_cut_it() {
    let long = "ü".repeat(MAX_DETAIL_CHARS + 50);
    let message = GOLDEN.replace("expect: status 503", &long);
    let expected = golden().with_detail(long);
    assert_eq!(decode(&message).unwrap(), expected);
    assert_eq!(decode(&encode(&expected)).unwrap(), expected);
}

/// What a check may measure, some of it missing.
fn measured() -> impl Strategy<Value = Measured> {
    (
        proptest::option::of(-60_000_000..60_000_000_i64),
        proptest::option::of(100..=999_u16),
        vec(proptest::option::of(any::<u64>()), 6),
        any::<Option<u64>>(),
        any::<Option<IpAddr>>(),
        proptest::option::of(CERTIFICATE_DATES_S),
    )
        .prop_map(
            |(start_us, status, phases, body_bytes, address, certificate_expires_at_s)| Measured {
                started_at_us: start_us.map(|us| UnixUs(DUE.to_us().0 + us)),
                status,
                phases: Phases {
                    dns_us: phases[0],
                    connect_us: phases[1],
                    tls_us: phases[2],
                    wait_us: phases[3],
                    receive_us: phases[4],
                    total_us: phases[5],
                },
                body_bytes,
                address,
                certificate_expires_at_s,
            },
        )
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        site_id: i64,
        reason in proptest::option::of(select(Reason::ALL)),
        measured in measured(),
        detail: Option<String>,
    ) {
        let result = CheckResult { check: CheckKey::new(SiteId(site_id), DUE), reason, measured, detail: detail.map(short) };
        prop_assert_eq!(decode(&encode(&result)).unwrap(), result);
    }

    #[test]
    fn nonsense_is_refused_and_never_panics(message in vec(any::<u8>(), 0..200), cut in 0..GOLDEN.len()) {
        prop_assert!(CheckResult::decode(&message, NOW, ours()).is_err());
        prop_assert!(CheckResult::decode(&GOLDEN.as_bytes()[..cut], NOW, ours()).is_err());
    }
}
