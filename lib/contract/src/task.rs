//! The message on the tasks' topic: one check of one site at one instant.
//!
//! JSON with fixed fields in a fixed order (a golden test keeps the bytes); the key is the site's id
//! in decimal. `request` and `expect` travel as they stand in the site's row: the scheduler does
//! not look inside, and what makes no sense there is the checker's to say.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::GRACE;
use crate::check::{CheckKey, SiteId};
use crate::installation::Installation;
use crate::instant::UnixMs;
use crate::site::{MAX_INTERVAL_MS, MAX_TIMEOUT_MS, MIN_INTERVAL_MS};

/// The version of the message; any other is poison.
pub const VERSION: u32 = 1;

/// A task due further ahead than this is poison: no scheduler of ours sent it. In milliseconds.
pub const MAX_AHEAD_MS: i64 = 60_000;

/// A task due longer ago than this is poison: even the longest interval has ended, and the scheduler has recorded
/// the instant as lost. In milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "GRACE is a minute")]
pub const MAX_AGE_MS: i64 = MAX_INTERVAL_MS + GRACE.as_millis() as i64;

/// One check to be made: of borrowed parts when written, of owned ones when read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task<Text = String, Json = Box<RawValue>> {
    /// The version of the message.
    pub v: u32,
    /// The installation whose scheduler wrote it.
    pub installation: Installation,
    /// The site, by `site.id`.
    pub site_id: SiteId,
    /// The site's name.
    pub name: Text,
    /// The due instant.
    pub scheduled_at: UnixMs,
    /// The instant from which the check is no longer made.
    pub expires_at: UnixMs,
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
    /// It is a message of another installation, which is left alone.
    #[error("a message of the installation {0}")]
    Foreign(Installation),
    /// It is a check of this site at this instant, but makes no sense.
    #[error("task of site {} makes no sense: {message}", check.site)]
    Invalid {
        /// Which check.
        check: CheckKey,
        /// What is wrong.
        message: String,
    },
}

/// What must be readable for a message to be accounted for, and what else has bounds.
#[derive(Deserialize)]
struct Header<'m> {
    /// The version of the message.
    v: u32,
    /// The installation, whatever it says.
    #[serde(borrow)]
    installation: Option<&'m RawValue>,
    /// The site, by `site.id`.
    site_id: SiteId,
    /// The due instant.
    scheduled_at: UnixMs,
    /// The instant from which the check is no longer made, whatever it says.
    #[serde(borrow)]
    expires_at: Option<&'m RawValue>,
    /// The time for the whole check, whatever it says.
    #[serde(borrow)]
    timeout_ms: Option<&'m RawValue>,
}

impl<Text, Json> Task<Text, Json> {
    /// Which check it asks for.
    pub const fn check(&self) -> CheckKey {
        CheckKey::new(self.site_id, self.scheduled_at)
    }
}

impl<Text: Serialize, Json: Serialize> Task<Text, Json> {
    /// Appends the message's bytes to `buffer`.
    pub fn encode(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(buffer, self)
    }
}

impl Task {
    /// Reads a message of the installation `ours` at the instant `now`.
    pub fn decode(message: &[u8], now: UnixMs, ours: Installation) -> Result<Self, TaskError> {
        // serde also reads a list, by position.
        if message.trim_ascii_start().first() != Some(&b'{') {
            return Err(TaskError::Poison("not a JSON object".to_owned()));
        }
        match serde_json::from_slice::<Self>(message) {
            Ok(task) => {
                refuse_version(task.v)?;
                refuse_foreign(task.installation, ours)?;
                refuse_instant(task.scheduled_at, now)?;
                refuse_expiry(task.scheduled_at, task.expires_at)?;
                let interval_ms = task.expires_at.ms_since(task.scheduled_at);
                refuse_timeout(task.timeout_ms.into(), interval_ms)?;
                Ok(task)
            }
            Err(error) => {
                let header = serde_json::from_slice::<Header<'_>>(message)
                    .map_err(|_| TaskError::Poison(error.to_string()))?;
                header.refuse(now, ours)?;
                Err(TaskError::Invalid {
                    check: CheckKey::new(header.site_id, header.scheduled_at),
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

impl Header<'_> {
    /// Refuses a message whose site and instant cannot be believed. A number beyond its bounds is refused here too,
    /// whatever else is wrong with the message.
    fn refuse(&self, now: UnixMs, ours: Installation) -> Result<(), TaskError> {
        refuse_version(self.v)?;
        let written = self.installation.ok_or_else(|| {
            TaskError::Poison("no installation: an older scheduler wrote it".to_owned())
        })?;
        let installation = serde_json::from_str(written.get())
            .map_err(|error| TaskError::Poison(error.to_string()))?;
        refuse_foreign(installation, ours)?;
        refuse_instant(self.scheduled_at, now)?;
        let whole = |number: &RawValue| serde_json::from_str::<i64>(number.get()).ok();
        let mut interval_ms = MAX_INTERVAL_MS;
        if let Some(expires_at) = self.expires_at.and_then(whole).map(UnixMs) {
            refuse_expiry(self.scheduled_at, expires_at)?;
            interval_ms = expires_at.ms_since(self.scheduled_at);
        }
        match self.timeout_ms.and_then(whole) {
            Some(timeout_ms) => refuse_timeout(timeout_ms, interval_ms),
            None => Ok(()),
        }
    }
}

/// Refuses a message of another version.
fn refuse_version(v: u32) -> Result<(), TaskError> {
    if v == VERSION {
        return Ok(());
    }
    Err(TaskError::Poison(format!("v is {v}")))
}

/// Refuses a message of another installation.
fn refuse_foreign(installation: Installation, ours: Installation) -> Result<(), TaskError> {
    if installation == ours {
        return Ok(());
    }
    Err(TaskError::Foreign(installation))
}

/// Refuses an instant at which no scheduler of ours can have sent a task that is read now. Believed, it would make a
/// day in `check_result` for any year.
fn refuse_instant(scheduled_at: UnixMs, now: UnixMs) -> Result<(), TaskError> {
    let fault = if scheduled_at.ms_since(now) > MAX_AHEAD_MS {
        format!("more than {} s ahead", MAX_AHEAD_MS / 1_000)
    } else if now.ms_since(scheduled_at) > MAX_AGE_MS {
        "older than a day and a minute".to_owned()
    } else {
        return Ok(());
    };
    Err(TaskError::Poison(format!(
        "scheduled_at {scheduled_at} is {fault}"
    )))
}

/// Refuses an expiry that no interval gives.
fn refuse_expiry(scheduled_at: UnixMs, expires_at: UnixMs) -> Result<(), TaskError> {
    let interval_ms = expires_at.ms_since(scheduled_at);
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
#[path = "task_tests.rs"]
mod tests;
