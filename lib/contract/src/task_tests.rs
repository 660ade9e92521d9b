//! What the message promises.

use proptest::prelude::*;

use super::*;

const GOLDEN: &str = concat!(
    r#"{"v":1,"installation":"0f3c9a1b","site_id":42,"name":"shop \"one\"","scheduled_at":1795449600123,"#,
    r#""expires_at":1795449660123,"url":"https://shop.example/","timeout_ms":10000,"#,
    r#""request":{"method": "HEAD"},"expect":{}}"#
);
const NOW: UnixMs = UnixMs(1_795_449_599_000);

fn ours() -> Installation {
    "0f3c9a1b".parse().unwrap()
}

fn decode(message: &str) -> Result<Task, TaskError> {
    Task::decode(message.as_bytes(), NOW, ours())
}

fn golden() -> Task<&'static str, &'static RawValue> {
    Task {
        v: VERSION,
        installation: ours(),
        site_id: SiteId(42),
        name: "shop \"one\"",
        scheduled_at: UnixMs(1_795_449_600_123),
        expires_at: UnixMs(1_795_449_660_123),
        url: "https://shop.example/",
        timeout_ms: 10_000,
        request: serde_json::from_str(r#"{"method": "HEAD"}"#).unwrap(),
        expect: serde_json::from_str("{}").unwrap(),
    }
}

#[test]
fn the_bytes_of_a_task_never_change() {
    let mut bytes = Vec::new();
    golden().encode(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), GOLDEN);
}

#[test]
fn what_was_written_is_read() {
    let task = decode(GOLDEN).unwrap();
    assert_eq!(
        (task.site_id, task.name.as_str()),
        (SiteId(42), "shop \"one\"")
    );
    assert_eq!(task.request.get(), r#"{"method": "HEAD"}"#);
    let mut again = Vec::new();
    task.encode(&mut again).unwrap();
    assert_eq!(again, GOLDEN.as_bytes());
}

#[test]
fn poison_is_what_cannot_be_accounted_for() {
    for (message, fault) in [
        ("", "not a JSON object"),
        ("null", "not a JSON object"),
        ("[1,2,3]", "not a JSON object"),
        (r#"{"site_id":1,"scheduled_at":1}"#, "missing field"),
        (
            r#"{"v":1,"installation":"0f3c9a1b","scheduled_at":1}"#,
            "missing field `site_id`",
        ),
        (
            r#"{"v":1,"site_id":1,"scheduled_at":1795449600123}"#,
            "no installation",
        ),
        (&GOLDEN.replace("0f3c9a1b", "0F3C9A1B"), "8 hex digits"),
        (&GOLDEN.replace("\"0f3c9a1b\"", "12345678"), "8 hex digits"),
        (r#"{"v":2,"site_id":1,"scheduled_at":1}"#, "v is 2"),
        (&GOLDEN.replace("\"v\":1", "\"v\":7"), "v is 7"),
        (
            &GOLDEN.replace("1795449600123,", "1895449600123,"),
            "more than 60 s ahead",
        ),
    ] {
        let error = decode(message).unwrap_err();
        assert!(
            matches!(error, TaskError::Poison(_)),
            "{message}: {error:?}"
        );
        assert!(error.to_string().contains(fault), "{message}: {error}");
    }
}

#[test]
fn a_message_of_another_installation_is_theirs_whatever_else_it_says() {
    let theirs = GOLDEN.replace("0f3c9a1b", "0f3c9a1c");
    for message in [
        theirs.replace("10000", "\"soon\""),
        theirs.replace("1795449600123,", "1,"),
        theirs.replace(",\"expect\":{}", ""),
        theirs,
    ] {
        let error = decode(&message).unwrap_err();
        assert!(
            matches!(error, TaskError::Foreign(id) if id.to_string() == "0f3c9a1c"),
            "{message}: {error:?}"
        );
    }
}

/// The golden task with other numbers: how long ago it was due, its interval and its timeout.
fn with(age_ms: i64, interval_ms: i64, timeout_ms: i64) -> String {
    let scheduled_at = NOW.plus_ms(-age_ms);
    GOLDEN
        .replace(
            "1795449660123",
            &scheduled_at.plus_ms(interval_ms).to_string(),
        )
        .replace("1795449600123", &scheduled_at.to_string())
        .replace("10000", &timeout_ms.to_string())
}

#[test]
fn what_a_scheduler_can_send_is_believed_to_the_edge() {
    for (age_ms, interval_ms, timeout_ms) in [
        (0, 100, 1),
        (0, 100, 100),
        (-60_000, 60_000, 60_000),
        (86_460_000, 86_400_000, 600_000),
        (0, 600_000, 600_000),
    ] {
        let message = with(age_ms, interval_ms, timeout_ms);
        let task = decode(&message).unwrap();
        assert_eq!(i64::from(task.timeout_ms), timeout_ms);
    }
}

#[test]
fn a_number_that_no_scheduler_can_send_is_poison_also_in_a_message_that_makes_no_sense() {
    for (age_ms, interval_ms, timeout_ms, fault) in [
        (0, 86_400_000, 600_001, "timeout_ms"),
        (0, 86_400_000, 4_233_600_000, "timeout_ms"),
        (0, 86_400_000, 9_000_000_000, "timeout_ms"),
        (0, 86_400_000, 0, "timeout_ms"),
        (0, 86_400_000, -1, "timeout_ms"),
        (0, 60_000, 60_001, "timeout_ms"),
        (0, 99, 50, "expires_at"),
        (0, 0, 1, "expires_at"),
        (0, -1, 1, "expires_at"),
        (0, 86_400_001, 1, "expires_at"),
        (86_460_001, 86_400_000, 1, "scheduled_at"),
        (-60_001, 60_000, 1, "scheduled_at"),
    ] {
        let message = with(age_ms, interval_ms, timeout_ms);
        let nonsense = message.replace("\"url\":\"https://shop.example/\"", "\"url\":5");
        assert_ne!(message, nonsense);
        for message in [message, nonsense] {
            let error = decode(&message).unwrap_err();
            let told = error.to_string();
            assert!(
                matches!(error, TaskError::Poison(_)) && told.contains(fault),
                "{message}: {told}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_numbers_are_believed_that_no_interval_gives(
        scheduled_at in edge(), expires_at in edge(), timeout_ms in edge(), now in edge(),
    ) {
        let message = GOLDEN
            .replace("1795449660123", &expires_at.to_string())
            .replace("1795449600123", &scheduled_at.to_string())
            .replace("10000", &timeout_ms.to_string());
        let [at, end, timeout, now_ms] = [scheduled_at, expires_at, timeout_ms, now].map(i128::from);
        let lawful = (-86_460_000..=60_000).contains(&(at - now_ms))
            && (100..=86_400_000).contains(&(end - at))
            && (1..=600_000.min(end - at)).contains(&timeout);
        prop_assert_eq!(Task::decode(message.as_bytes(), UnixMs(now), ours()).is_ok(), lawful);
    }
}

/// Numbers around all that may go wrong.
fn edge() -> impl Strategy<Value = i64> {
    let near = |at: i64, by: i64| (at.saturating_sub(by))..=at.saturating_add(by);
    prop_oneof![
        any::<i64>(),
        near(i64::MAX, 100_000_000),
        near(i64::MIN, 100_000_000),
        near(NOW.0, 100_000_000),
        near(0, 1_000_000),
    ]
}

#[test]
fn a_task_that_makes_no_sense_is_still_accounted_for() {
    let message = GOLDEN.replace("10000", "\"soon\"");
    let error = decode(&message).unwrap_err();
    let TaskError::Invalid { check, message } = error else {
        panic!("{error:?}")
    };
    assert_eq!(check, CheckKey::new(SiteId(42), UnixMs(1_795_449_600_123)));
    assert!(
        message.contains("invalid type: string \"soon\""),
        "{message}"
    );
}
