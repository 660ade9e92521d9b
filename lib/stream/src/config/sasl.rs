//! `kafka.sasl`: how this service says who it is, where Kafka demands a password.

use runtime::config::{Document, Secret};
use serde::Deserialize;

/// The mechanisms that librdkafka has without further libraries.
const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// `kafka.sasl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSasl {
    /// `kafka.sasl.mechanism`: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: &'static str,
    /// `kafka.sasl.username`.
    pub username: String,
    /// `kafka.sasl.password`.
    pub password: Secret,
}

/// The section as written.
#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSasl {
    /// `kafka.sasl.mechanism`.
    mechanism: Option<String>,
    /// `kafka.sasl.username`.
    username: Option<String>,
    /// `kafka.sasl.password`.
    password: Option<String>,
}

impl KafkaSasl {
    /// What the section means. No message shows any of it.
    pub(super) fn valid(document: &mut Document, raw: RawSasl) -> Option<Self> {
        let RawSasl {
            mechanism,
            username,
            password,
        } = raw;
        let mechanism = document.check("kafka.sasl.mechanism", valid_mechanism(mechanism));
        let username = document.check("kafka.sasl.username", valid_text(username));
        let password = document.check("kafka.sasl.password", valid_text(password));
        Some(Self {
            mechanism: mechanism?,
            username: username?,
            password: Secret::new(password?),
        })
    }

    /// Whether the password itself goes to the broker.
    pub fn shows_password(&self) -> bool {
        self.mechanism == "PLAIN"
    }
}

/// One of the mechanisms.
fn valid_mechanism(raw: Option<String>) -> Result<&'static str, String> {
    let written = raw.ok_or("missing: write `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`")?;
    let known = MECHANISMS.into_iter().find(|known| *known == written);
    known.ok_or_else(|| {
        "must be `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`, in capitals (no other is supported)"
            .to_owned()
    })
}

/// A name or a password.
fn valid_text(raw: Option<String>) -> Result<String, String> {
    match raw {
        Some(text) if text.is_empty() => Err("must not be empty".to_owned()),
        Some(text) if text.contains(char::is_control) => {
            Err("must be one line without control characters".to_owned())
        }
        Some(text) => Ok(text),
        None => {
            Err("missing: `kafka.sasl` takes `mechanism`, `username` and `password`".to_owned())
        }
    }
}
