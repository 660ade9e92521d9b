//! The message on the tasks' topic: one check of one site at one instant.
//!
//! JSON with fixed fields in a fixed order (a golden test keeps the bytes); the key is the site's id
//! in decimal. `request` and `expect` travel as they stand in the site's row: the scheduler does
//! not look inside, and what makes no sense there is the checker's to say.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of the message; any other is poison.
pub const VERSION: u32 = 1;

/// A task due further ahead than this is poison: no scheduler of ours sent it. In milliseconds.
pub const MAX_AHEAD_MS: i64 = 60_000;

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
    /// Nothing can be done with it: whose it is, or when it was due, cannot be read.
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

/// What must be readable for a message to be accounted for.
#[derive(Deserialize)]
struct Header {
    /// The version of the message.
    v: u32,
    /// The site, by `site.id`.
    site_id: i64,
    /// The due instant, in milliseconds since the Unix epoch.
    scheduled_at: i64,
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
                refuse_foreign(task.v, task.scheduled_at, now)?;
                Ok(task)
            }
            Err(error) => {
                let header: Header = serde_json::from_slice(message)
                    .map_err(|_| TaskError::Poison(error.to_string()))?;
                refuse_foreign(header.v, header.scheduled_at, now)?;
                let Header {
                    v: _,
                    site_id,
                    scheduled_at,
                } = header;
                Err(TaskError::Invalid {
                    site_id,
                    scheduled_at,
                    message: error.to_string(),
                })
            }
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

/// Refuses what no scheduler of ours can have sent.
fn refuse_foreign(v: u32, scheduled_at: i64, now: i64) -> Result<(), TaskError> {
    if v != VERSION {
        return Err(TaskError::Poison(format!("v is {v}")));
    }
    if scheduled_at.saturating_sub(now) > MAX_AHEAD_MS {
        return Err(TaskError::Poison(format!(
            "scheduled_at {scheduled_at} is more than {} s ahead",
            MAX_AHEAD_MS / 1_000
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
