//! The seal of a message: a header by which the reader knows that one of us wrote it.
//!
//! Any program that reaches a broker without access control may put messages on a topic. So the header `webmon-hmac` holds
//! 32 bytes,
//!
//! ```text
//! topic key = HMAC-SHA256(kafka.key, name of the topic)
//! header    = HMAC-SHA256(topic key, length of the message's key || the message's key || payload)
//! ```
//!
//! the length as 4 bytes, the highest first. With a key for each topic, a message of one topic is none on another.
//! `docs/guide/kafka.md` shows the same with openssl.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use runtime::config::Secret;

use crate::config::KafkaConfig;

/// The header's name.
pub const HEADER: &str = "webmon-hmac";
/// The bytes that the seal adds to a message: the header's name, its value, and their lengths.
pub const HEADER_BYTES: usize = HEADER.len() + 32 + 4;

/// The keys of a topic.
pub struct Seal {
    /// Under `kafka.key`.
    current: hmac::Key,
    /// Under `kafka.previous_key`, which is only read by.
    previous: Option<hmac::Key>,
    /// What is verified, in one piece.
    scratch: Vec<u8>,
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsealed {
    /// There is no header, or there are several.
    #[error(
        "{0} headers {HEADER} instead of one: kafka.key must be the same for all schedulers and checkers"
    )]
    Headers(usize),
    /// The header does not fit the message.
    #[error(
        "its header {HEADER} is wrong: kafka.key must be the same for all schedulers and checkers"
    )]
    Wrong,
}

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes for a key")]
pub struct NoRandomness;

impl Seal {
    /// The seal of the configured topic; none without `kafka.key`.
    pub fn of(config: &KafkaConfig) -> Option<Self> {
        let of_topic = |secret: &Secret| {
            let main = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            let tag = hmac::sign(&main, config.topic.as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
        };
        Some(Self {
            current: of_topic(config.key.as_ref()?),
            previous: config.previous_key.as_ref().map(of_topic),
            scratch: Vec::new(),
        })
    }

    /// The header of a message.
    pub fn sign(&self, key: &[u8], payload: &[u8]) -> impl AsRef<[u8]> + use<> {
        let mut context = hmac::Context::with_key(&self.current);
        for part in [&length(key), key, payload] {
            context.update(part);
        }
        context.sign()
    }

    /// Checks the headers of this name that a message has.
    pub fn verify<'h>(
        &mut self,
        key: &[u8],
        payload: &[u8],
        headers: impl Iterator<Item = &'h [u8]>,
    ) -> Result<(), Unsealed> {
        let (mut header, mut count) = (None, 0);
        for value in headers {
            header = Some(value);
            count += 1;
        }
        let (Some(header), 1) = (header, count) else {
            return Err(Unsealed::Headers(count));
        };
        self.scratch.clear();
        for part in [&length(key), key, payload] {
            self.scratch.extend_from_slice(part);
        }
        let fits = |key: &hmac::Key| hmac::verify(key, &self.scratch, header).is_ok();
        if fits(&self.current) || self.previous.as_ref().is_some_and(fits) {
            Ok(())
        } else {
            Err(Unsealed::Wrong)
        }
    }
}

/// A key for one process, which is written nowhere.
pub fn random_key() -> Result<Secret, NoRandomness> {
    let mut bytes = [0_u8; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| NoRandomness)?;
    Ok(Secret::new(hex(&bytes)))
}

/// Bytes as hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        for digit in [byte >> 4, byte & 15] {
            digits.extend(char::from_digit(digit.into(), 16));
        }
        digits
    })
}

/// The length of a message's key, so that no byte of it can be taken for one of the payload.
fn length(key: &[u8]) -> [u8; 4] {
    u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Shows no key.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(***)")
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
