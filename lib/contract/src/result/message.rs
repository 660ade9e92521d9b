//! The message on the results' topic: what one check measured, from a checker that has no database to the
//! recorder that writes the row.
//!
//! JSON with fixed fields in a fixed order (a golden test keeps the bytes); the key is the site's id in
//! decimal. No service sends it yet: today the checker embeds the recorder, and hands it each result as a value.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{CheckResult, Measured, short};
use crate::check::{CheckKey, SiteId};
use crate::installation::Installation;
use crate::instant::{UnixMs, UnixUs};
use crate::outcome::Reason;
use crate::site::MAX_TIMEOUT_MS;
use crate::task;

/// The version of the message; any other is poison.
pub const VERSION: u32 = 1;

/// How long the topic keeps a result, in milliseconds: a recorder that is away for longer loses results.
pub const RETENTION_MS: i64 = 86_400_000;

/// A result due further ahead than this is poison, as its task was. In milliseconds.
pub const MAX_AHEAD_MS: i64 = task::MAX_AHEAD_MS;

/// A result due longer ago than this is poison: the oldest task, the longest check and the topic's retention
/// add up to no more. In milliseconds.
pub const MAX_AGE_MS: i64 = task::MAX_AGE_MS + MAX_TIMEOUT_MS + RETENTION_MS;

/// A status of HTTP has three digits.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=999;

/// The years 0 to 9999 in seconds since the Unix epoch: a certificate's dates have four digits for the year
/// (RFC 5280, 4.1.2.5).
const CERTIFICATE_DATES_S: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// Why a message is no result. The message names the fault; where it stood is the reader's to add.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// Nothing can be done with it: it cannot be read, or a number in it is beyond what a check measures.
    #[error("not a check result of version {VERSION}: {0}")]
    Poison(String),
    /// It is a message of another installation, which is left alone.
    #[error("a message of the installation {0}")]
    Foreign(Installation),
}

/// The fields of a message: of borrowed parts when written, of owned ones when read.
#[derive(Serialize, Deserialize)]
struct Message<Text = String, Values = Measured> {
    /// The version of the message.
    v: u32,
    /// The installation whose checker wrote it.
    installation: Installation,
    /// The site, by `site.id`.
    site_id: SiteId,
    /// The due instant.
    scheduled_at: UnixMs,
    /// The reason's name; null when the site is up, and never left out.
    #[serde(with = "reason_by_name")]
    reason: Option<Reason>,
    /// What the probe saw.
    measured: Values,
    /// A sentence for people.
    detail: Option<Text>,
}

/// What tells whose a message is that cannot be read otherwise.
#[derive(Deserialize)]
struct Header<'m> {
    /// The version of the message.
    v: u32,
    /// The installation, whatever it says.
    #[serde(borrow)]
    installation: Option<&'m RawValue>,
}

impl CheckResult {
    /// Appends the bytes of a message of this installation to `buffer`.
    pub fn encode(
        &self,
        installation: Installation,
        buffer: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let Self {
            check,
            reason,
            measured,
            detail,
        } = self;
        let message = Message {
            v: VERSION,
            installation,
            site_id: check.site,
            scheduled_at: check.scheduled_at,
            reason: *reason,
            measured,
            detail: detail.as_deref(),
        };
        serde_json::to_writer(buffer, &message)
    }

    /// Reads a message of the installation `ours` at the instant `now`. A
    /// detail that is too long is cut.
    pub fn decode(message: &[u8], now: UnixMs, ours: Installation) -> Result<Self, ResultError> {
        // serde also reads a list, by position.
        if message.trim_ascii_start().first() != Some(&b'{') {
            return Err(ResultError::Poison("not a JSON object".to_owned()));
        }
        let read: Message = serde_json::from_slice(message).map_err(|error| {
            let header = serde_json::from_slice::<Header<'_>>(message);
            let refused = header.map_or(Ok(()), |header| header.refuse(ours));
            let poison = ResultError::Poison(error.to_string());
            refused.err().unwrap_or(poison)
        })?;
        refuse_version(read.v)?;
        refuse_foreign(read.installation, ours)?;
        refuse_instants(read.scheduled_at, read.measured.started_at_us, now)?;
        refuse_values(&read.measured)?;
        Ok(Self {
            check: CheckKey::new(read.site_id, read.scheduled_at),
            reason: read.reason,
            measured: read.measured,
            detail: read.detail.map(short),
        })
    }
}

impl Header<'_> {
    /// Refuses a message of another version or installation.
    fn refuse(&self, ours: Installation) -> Result<(), ResultError> {
        refuse_version(self.v)?;
        let written = self.installation.map(RawValue::get);
        let read = written.and_then(|text| serde_json::from_str(text).ok());
        read.map_or(Ok(()), |installation| refuse_foreign(installation, ours))
    }
}

/// Refuses a message of another version.
fn refuse_version(v: u32) -> Result<(), ResultError> {
    if v == VERSION {
        return Ok(());
    }
    Err(ResultError::Poison(format!("v is {v}")))
}

/// Refuses a message of another installation.
fn refuse_foreign(installation: Installation, ours: Installation) -> Result<(), ResultError> {
    if installation == ours {
        return Ok(());
    }
    Err(ResultError::Foreign(installation))
}

/// Refuses instants at which no check of ours can have been due or have started. Believed, they would make a day
/// in `check_result` for any year.
fn refuse_instants(
    scheduled_at: UnixMs,
    started_at: Option<UnixUs>,
    now: UnixMs,
) -> Result<(), ResultError> {
    let earliest = now.plus_ms(-MAX_AGE_MS);
    let latest = now.plus_ms(MAX_AHEAD_MS);
    let fault = if scheduled_at > latest {
        format!("more than {} s ahead", MAX_AHEAD_MS / 1_000)
    } else if scheduled_at < earliest {
        format!("more than {} s old", MAX_AGE_MS / 1_000)
    } else {
        // The database's clock may have been set meanwhile, so a start is allowed the same minute on either side.
        let starts = scheduled_at.plus_ms(-MAX_AHEAD_MS).to_us()..=latest.to_us();
        return match started_at {
            Some(at) if !starts.contains(&at) => Err(ResultError::Poison(format!(
                "started_at_us {at} is before the due instant {scheduled_at}, or ahead"
            ))),
            _ => Ok(()),
        };
    };
    Err(ResultError::Poison(format!(
        "scheduled_at {scheduled_at} is {fault}"
    )))
}

/// Refuses values that no probe measures. Times and sizes have no bound: a check may stand still, and a column
/// holds the largest number that it can.
fn refuse_values(measured: &Measured) -> Result<(), ResultError> {
    let Measured {
        started_at_us: _,
        status,
        phases: _,
        body_bytes: _,
        address: _,
        certificate_expires_at_s: expires_at_s,
    } = measured;
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        return Err(ResultError::Poison(format!("status is {status}")));
    }
    if let Some(at_s) = expires_at_s.filter(|at_s| !CERTIFICATE_DATES_S.contains(at_s)) {
        return Err(ResultError::Poison(format!(
            "certificate_expires_at_s is {at_s}"
        )));
    }
    Ok(())
}

/// A reason as its name.
mod reason_by_name {
    use std::borrow::Cow;

    use serde::de::{self, Deserialize as _, Deserializer};
    use serde::{Serialize as _, Serializer};

    use crate::outcome::Reason;

    /// Writes the name, or null.
    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference to the field"
    )]
    pub(super) fn serialize<S: Serializer>(
        reason: &Option<Reason>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        reason.map(Reason::as_str).serialize(serializer)
    }

    /// Reads a name, or null.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Reason>, D::Error> {
        let name = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        let by_name = |name: Cow<'de, str>| {
            name.parse()
                .map_err(|_| de::Error::custom(format_args!("{name:?} is no reason")))
        };
        name.map(by_name).transpose()
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
