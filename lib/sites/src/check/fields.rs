//! The keys of one entry of the file: of `defaults`, or of a site.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use contract::site::{MAX_INTERVAL_MS, MAX_TIMEOUT_MS, MIN_INTERVAL_MS, SiteError};
use serde_json::{Map, Value};

use crate::yaml::node::{Node, into_object, key_text};
use crate::yaml::variables::unescaped;

/// The keys of a site.
const KEYS: &[&str] = &[
    "name", "url", "interval", "timeout", "enabled", "labels", "request", "expect",
];
/// The shortest timeout, in milliseconds.
const MIN_TIMEOUT_MS: i64 = 1;

/// What an entry says. A key that is not there, or has nothing after it, says nothing.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// `name`
    pub(super) name: Option<String>,
    /// `url`
    pub(super) url: Option<String>,
    /// `interval`, in milliseconds.
    pub(super) interval_ms: Option<i32>,
    /// `timeout`, in milliseconds.
    pub(super) timeout_ms: Option<i32>,
    /// `enabled`
    pub(super) enabled: Option<bool>,
    /// `labels`
    pub(super) labels: Option<Map<String, Value>>,
    /// `request`
    pub(super) request: Option<Map<String, Value>>,
    /// `expect`
    pub(super) expect: Option<Map<String, Value>>,
}

impl Fields {
    /// Reads an entry. Every key that is wrong adds a fault and says nothing.
    pub(super) fn read(entry: Node, faults: &mut Vec<SiteError>) -> Self {
        let mut fields = Self::default();
        let entries = match entry {
            Node::Map(entries) => entries,
            Node::Odd(fault) => {
                faults.push(SiteError::new("entry", fault));
                return fields;
            }
            entry => {
                let fault = format!("{entry} is no map; write the keys below it");
                faults.push(SiteError::new("entry", fault));
                return fields;
            }
        };
        let mut seen = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let taken = key_text(key)
                .map_err(|fault| SiteError::new("entry", fault))
                .and_then(|key| {
                    refuse_twice(&key, &mut seen)?;
                    fields.take(&key, value)
                });
            faults.extend(taken.err());
        }
        fields
    }

    /// Takes the value of one key.
    fn take(&mut self, key: &str, value: Node) -> Result<(), SiteError> {
        let fault = |message| SiteError::new(key, message);
        match (key, value) {
            (key, Node::Odd(message)) if KEYS.contains(&key) => return Err(fault(message)),
            (key, Node::Nothing) if KEYS.contains(&key) => {}
            ("name", value) => self.name = Some(literal(value).map_err(fault)?),
            ("url", value) => self.url = Some(literal(value).map_err(fault)?),
            ("interval", value) => {
                let range = MIN_INTERVAL_MS..=MAX_INTERVAL_MS;
                self.interval_ms = Some(milliseconds(&value, &range).map_err(fault)?);
            }
            ("timeout", value) => {
                let range = MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS;
                self.timeout_ms = Some(milliseconds(&value, &range).map_err(fault)?);
            }
            ("enabled", value) => self.enabled = Some(flag(&value).map_err(fault)?),
            ("labels", value) => self.labels = Some(object(value, key)?),
            ("request", value) => self.request = Some(object(value, key)?),
            ("expect", value) => self.expect = Some(object(value, key)?),
            ("<<", _) => return Err(fault("is not merged; write `defaults:`".into())),
            _ => return Err(fault(unknown(KEYS))),
        }
        Ok(())
    }
}

/// What is wrong with a key that is none of `known`.
pub(crate) fn unknown(known: &[&str]) -> String {
    format!("unknown key; known are {}", known.join(", "))
}

/// Remembers `key`, and refuses it the second time.
fn refuse_twice(key: &str, seen: &mut Vec<&'static str>) -> Result<(), SiteError> {
    let Some(known) = KEYS.iter().find(|known| **known == key) else {
        return Ok(());
    };
    if seen.contains(known) {
        return Err(SiteError::new(key, "is there twice; keep one"));
    }
    seen.push(known);
    Ok(())
}

/// Reads a text.
fn text(value: Node) -> Result<String, String> {
    match value {
        Node::Text(text) => Ok(text),
        Node::Number(_) | Node::Bool(_) => Err(format!("{value} is no text; quote it")),
        value => Err(format!("{value} is no text")),
    }
}

/// Reads a text in which nothing is put in.
fn literal(value: Node) -> Result<String, String> {
    unescaped(&text(value)?, false).map(Cow::into_owned)
}

/// Reads `true` or `false`.
fn flag(value: &Node) -> Result<bool, String> {
    match value {
        Node::Bool(value) => Ok(*value),
        value => Err(format!("{value} is neither true nor false")),
    }
}

/// Reads a map that is stored as JSON.
fn object(value: Node, key: &str) -> Result<Map<String, Value>, SiteError> {
    match value {
        Node::Map(entries) => into_object(entries, key),
        value => Err(SiteError::new(
            key,
            format!("{value} is no map; write `{key}:` and keys below it"),
        )),
    }
}

/// Reads a duration such as `30s`, which must be whole milliseconds in `range`.
fn milliseconds(value: &Node, range: &RangeInclusive<i64>) -> Result<i32, String> {
    let written = match value {
        Node::Text(written) => written,
        Node::Number(number) => return Err(format!("{number} has no unit; write {number}s")),
        value => return Err(format!("{value} is no duration; write 30s, 5m or 500ms")),
    };
    let duration = humantime::parse_duration(written)
        .map_err(|error| format!("{written:?} is no duration ({error}); write 30s, 5m or 500ms"))?;
    if duration.subsec_nanos() % 1_000_000 != 0 {
        return Err(format!("{written:?} is not whole milliseconds"));
    }
    let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let human = |ms: &i64| humantime::format_duration(Duration::from_millis(ms.unsigned_abs()));
    if ms < *range.start() {
        return Err(format!(
            "{written:?} is too short; at least {}",
            human(range.start())
        ));
    }
    if ms > *range.end() {
        return Err(format!(
            "{written:?} is too long; at most {}",
            human(range.end())
        ));
    }
    i32::try_from(ms).map_err(|_| format!("{written:?} is too long"))
}
