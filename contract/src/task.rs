//! The message on the tasks' topic: one check of one site at one instant.
//!
//! JSON with fixed fields in a fixed order (a golden test keeps the bytes); the key is the site's id
//! in decimal. `request` and `expect` travel as they stand in the site's row: the scheduler does
//! not look inside, and what makes no sense there is the checker's to say.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::GRACE;
use crate::site::{MAX_INTERVAL_MS, MAX_TIMEOUT_MS, MIN_INTERVAL_MS};

/// The version of the message; any other is poison.
pub const VERSION: u32 = 1;

/// A task due further ahead than this is poison: no scheduler of ours sent it. In milliseconds.
pub const MAX_AHEAD_MS: i64 = 60_000;

/// A task due longer ago than this is poison: even the longest interval has ended, and the reconciler has judged
/// the instant. In milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "GRACE is a minute")]
pub const MAX_AGE_MS: i64 = MAX_INTERVAL_MS + GRACE.as_millis() as i64;

/// One check to be made: of borrowed parts when written, of owned ones when read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task<Text = String, Json = Box<RawValue>> {
    /// The version of the message.
    pub v: u32,
    /// The site, by `site.id`.
    pub site_id: i64,
    /// The site's name.
    pub name: Text,
    /// The due instant, in milliseconds since the Unix epoch.
    pub scheduled_at: i64,
    /// The instant from which the check is no longer made, in milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// What to probe.
    pub url: Text,
    /// The time for the whole check, in milliseconds.
    pub timeout_ms: u32,
    /// The site's `request`, unread.
    pub request: Json,
    /// The site's `expect`, unread.
    pub expect: Json,
}

/// Why a message is no task. The message names the fault; where it stood is the reader's to add.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Nothing can be done with it: whose it is, or when it was due, cannot be read, or a number in it is beyond what
    /// a scheduler sends.
    #[error("not a check task of version {VERSION}: {0}")]
    Poison(String),
    /// It is a check of this site at this instant, but makes no sense.
    #[error("task of site {site_id} makes no sense: {message}")]
    Invalid {
        /// The site, by `site.id`.
        site_id: i64,
        /// The due instant, in milliseconds since the Unix epoch.
        scheduled_at: i64,
        /// What is wrong.
        message: String,
    },
}

/// What must be readable for a message to be accounted for, and what else has bounds.
#[derive(Deserialize)]
struct Header<'m> {
    /// The version of the message.
    v: u32,
    /// The site, by `site.id`.
    site_id: i64,
    /// The due instant, in milliseconds since the Unix epoch.
    scheduled_at: i64,
    /// The instant from which the check is no longer made, whatever it says.
    #[serde(borrow)]
    expires_at: Option<&'m RawValue>,
    /// The time for the whole check, whatever it says.
    #[serde(borrow)]
    timeout_ms: Option<&'m RawValue>,
}

impl<Text: Serialize, Json: Serialize> Task<Text, Json> {
    /// Appends the message's bytes to `buffer`.
    pub fn encode(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(buffer, self)
    }
}

impl Task {
    /// Reads a message at the instant `now` (milliseconds since the Unix epoch).
    pub fn decode(message: &[u8], now: i64) -> Result<Self, TaskError> {
        // serde also reads a list, by position.
        if message.trim_ascii_start().first() != Some(&b'{') {
            return Err(TaskError::Poison("not a JSON object".to_owned()));
        }
        match serde_json::from_slice::<Self>(message) {
            Ok(task) => {
                refuse_version(task.v)?;
                refuse_instant(task.scheduled_at, now)?;
                refuse_expiry(task.scheduled_at, task.expires_at)?;
                let interval_ms = task.expires_at.saturating_sub(task.scheduled_at);
                refuse_timeout(task.timeout_ms.into(), interval_ms)?;
                Ok(task)
            }
            Err(error) => Err(Header::account_for(message, now, &error)),
        }
    }

    /// Bytes that the task keeps on the heap.
    pub fn heap_bytes(&self) -> usize {
        let Self {
            name,
            url,
            request,
            expect,
            ..
        } = self;
        name.capacity() + url.capacity() + request.get().len() + expect.get().len()
    }
}

impl Header<'_> {
    /// What a message is that is no whole task: poison, unless its site and its instant can be believed. A number
    /// beyond its bounds is refused here too, whatever else is wrong with the message.
    fn account_for(message: &[u8], now: i64, error: &serde_json::Error) -> TaskError {
        match Self::read(message, now, error) {
            Ok(Header {
                site_id,
                scheduled_at,
                ..
            }) => TaskError::Invalid {
                site_id,
                scheduled_at,
                message: error.to_string(),
            },
            Err(poison) => poison,
        }
    }

    /// Reads what can be believed.
    fn read<'m>(
        message: &'m [u8],
        now: i64,
        error: &serde_json::Error,
    ) -> Result<Header<'m>, TaskError> {
        let header: Header<'m> =
            serde_json::from_slice(message).map_err(|_| TaskError::Poison(error.to_string()))?;
        let whole = |number: Option<&RawValue>| -> Option<i64> {
            number.and_then(|number| serde_json::from_str(number.get()).ok())
        };
        refuse_version(header.v)?;
        refuse_instant(header.scheduled_at, now)?;
        let expires_at = whole(header.expires_at);
        if let Some(expires_at) = expires_at {
            refuse_expiry(header.scheduled_at, expires_at)?;
        }
        if let Some(timeout_ms) = whole(header.timeout_ms) {
            let interval_ms =
                expires_at.map(|expires_at| expires_at.saturating_sub(header.scheduled_at));
            refuse_timeout(timeout_ms, interval_ms.unwrap_or(MAX_INTERVAL_MS))?;
        }
        Ok(header)
    }
}

/// Refuses a message of another version.
fn refuse_version(v: u32) -> Result<(), TaskError> {
    if v == VERSION {
        return Ok(());
    }
    Err(TaskError::Poison(format!("v is {v}")))
}

/// Refuses an instant at which no scheduler of ours can have sent a task that is read now. Believed, it would make a
/// day in `check_result` for any year.
fn refuse_instant(scheduled_at: i64, now: i64) -> Result<(), TaskError> {
    let fault = if scheduled_at.saturating_sub(now) > MAX_AHEAD_MS {
        format!("more than {} s ahead", MAX_AHEAD_MS / 1_000)
    } else if now.saturating_sub(scheduled_at) > MAX_AGE_MS {
        "older than a day and a minute".to_owned()
    } else {
        return Ok(());
    };
    Err(TaskError::Poison(format!(
        "scheduled_at {scheduled_at} is {fault}"
    )))
}

/// Refuses an expiry that no interval gives.
fn refuse_expiry(scheduled_at: i64, expires_at: i64) -> Result<(), TaskError> {
    let interval_ms = expires_at.saturating_sub(scheduled_at);
    if (MIN_INTERVAL_MS..=MAX_INTERVAL_MS).contains(&interval_ms) {
        return Ok(());
    }
    Err(TaskError::Poison(format!(
        "expires_at is {interval_ms} ms after scheduled_at, not {MIN_INTERVAL_MS} to {MAX_INTERVAL_MS}"
    )))
}

/// Refuses a timeout that no site of this interval can have: believed, it would keep a slot for days.
fn refuse_timeout(timeout_ms: i64, interval_ms: i64) -> Result<(), TaskError> {
    let most = interval_ms.min(MAX_TIMEOUT_MS);
    if (1..=most).contains(&timeout_ms) {
        return Ok(());
    }
    Err(TaskError::Poison(format!(
        "timeout_ms is {timeout_ms}, not 1 to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOLDEN: &str = concat!(
        r#"{"v":1,"site_id":42,"name":"shop \"one\"","scheduled_at":1795449600123,"#,
        r#""expires_at":1795449660123,"url":"https://shop.example/","timeout_ms":10000,"#,
        r#""request":{"method": "HEAD"},"expect":{}}"#
    );
    const NOW: i64 = 1_795_449_599_000;

    fn golden() -> Task<&'static str, &'static RawValue> {
        Task {
            v: VERSION,
            site_id: 42,
            name: "shop \"one\"",
            scheduled_at: 1_795_449_600_123,
            expires_at: 1_795_449_660_123,
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
        let task = Task::decode(GOLDEN.as_bytes(), NOW).unwrap();
        assert_eq!((task.site_id, task.name.as_str()), (42, "shop \"one\""));
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
            (r#"{"v":1,"scheduled_at":1}"#, "missing field `site_id`"),
            (r#"{"v":2,"site_id":1,"scheduled_at":1}"#, "v is 2"),
            (&GOLDEN.replace("\"v\":1", "\"v\":7"), "v is 7"),
            (
                &GOLDEN.replace("1795449600123,", "1895449600123,"),
                "more than 60 s ahead",
            ),
        ] {
            let error = Task::decode(message.as_bytes(), NOW).unwrap_err();
            assert!(
                matches!(error, TaskError::Poison(_)),
                "{message}: {error:?}"
            );
            assert!(error.to_string().contains(fault), "{message}: {error}");
        }
    }

    /// The golden task with other numbers: how long ago it was due, its interval and its timeout.
    fn with(age_ms: i64, interval_ms: i64, timeout_ms: i64) -> String {
        let scheduled_at = NOW - age_ms;
        GOLDEN
            .replace(
                "1795449660123",
                &scheduled_at.saturating_add(interval_ms).to_string(),
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
            let task = Task::decode(message.as_bytes(), NOW).unwrap();
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
                let error = Task::decode(message.as_bytes(), NOW).unwrap_err();
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
            prop_assert_eq!(Task::decode(message.as_bytes(), now).is_ok(), lawful);
        }
    }

    /// Numbers around all that may go wrong.
    fn edge() -> impl Strategy<Value = i64> {
        let near = |at: i64, by: i64| (at.saturating_sub(by))..=at.saturating_add(by);
        prop_oneof![
            any::<i64>(),
            near(i64::MAX, 100_000_000),
            near(i64::MIN, 100_000_000),
            near(NOW, 100_000_000),
            near(0, 1_000_000),
        ]
    }

    #[test]
    fn a_task_that_makes_no_sense_is_still_accounted_for() {
        let message = GOLDEN.replace("10000", "\"soon\"");
        let error = Task::decode(message.as_bytes(), NOW).unwrap_err();
        let TaskError::Invalid {
            site_id,
            scheduled_at,
            message,
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!((site_id, scheduled_at), (42, 1_795_449_600_123));
        assert!(
            message.contains("invalid type: string \"soon\""),
            "{message}"
        );
    }
}
