//! `labels`, `request` and `expect`: maps that are stored as JSON.

use std::collections::HashSet;

use contract::site::{Expect, MAX_OPTIONS_BYTES, Request, SiteError};
use serde_json::{Map, Value};

/// How many texts known to be valid are remembered: most sites of a long file say the same.
const REMEMBERED: usize = 1_024;

/// Checks all that a file says under one key, each text once.
#[derive(Debug)]
pub(super) struct MapValidator {
    /// `labels`, `request` or `expect`.
    key: &'static str,
    /// What makes sense there.
    check: fn(&str) -> Result<(), SiteError>,
    /// Texts that do.
    valid: HashSet<String>,
}

impl MapValidator {
    /// For `labels`, where anything makes sense.
    pub(super) fn labels() -> Self {
        Self {
            key: "labels",
            check: |_| Ok(()),
            valid: HashSet::new(),
        }
    }

    /// For `request`.
    pub(super) fn request() -> Self {
        Self {
            key: "request",
            check: |json| Request::parse(json).map(drop),
            valid: HashSet::new(),
        }
    }

    /// For `expect`.
    pub(super) fn expect() -> Self {
        Self {
            key: "expect",
            check: |json| Expect::parse(json).map(drop),
            valid: HashSet::new(),
        }
    }

    /// The JSON text of `options`, if they make sense.
    pub(super) fn text(&mut self, options: Map<String, Value>) -> Result<String, SiteError> {
        let options = Value::Object(options);
        let json = options.to_string();
        if self.valid.contains(&json) {
            return Ok(json);
        }
        let bytes = json.len().saturating_add(spaces(&options));
        if bytes > MAX_OPTIONS_BYTES {
            let message = format!("{bytes} bytes as JSON; at most {MAX_OPTIONS_BYTES}");
            return Err(SiteError::new(self.key, message));
        }
        (self.check)(&json)?;
        if self.valid.len() < REMEMBERED {
            self.valid.insert(json.clone());
        }
        Ok(json)
    }
}

/// Refuses a request and expectations that make sense alone, but not together.
pub(super) fn refuse_odd_pair(request: &str, expect: &str) -> Result<(), SiteError> {
    // as most sites have it
    if !request.contains("read") {
        return Ok(());
    }
    Request::parse(request)?.refuse_unread(Expect::parse(expect)?.needs_body())
}

/// The spaces that `jsonb` puts after commas and colons, and that its limit counts.
fn spaces(value: &Value) -> usize {
    match value {
        Value::Array(items) => {
            items.len().saturating_sub(1) + items.iter().map(spaces).sum::<usize>()
        }
        Value::Object(entries) => {
            (2 * entries.len()).saturating_sub(1) + entries.values().map(spaces).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The site's own keys over those of `defaults`; one with nothing after it takes the default away.
pub(super) fn merged(
    defaults: Option<&Map<String, Value>>,
    own: Option<Map<String, Value>>,
) -> Map<String, Value> {
    let mut merged = defaults.cloned().unwrap_or_default();
    for (key, value) in own.into_iter().flatten() {
        if value.is_null() && merged.contains_key(&key) {
            merged.remove(&key);
        } else {
            merged.insert(key, value);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else {
            panic!("{value}")
        };
        map
    }

    #[test]
    fn a_site_s_key_replaces_the_default_as_a_whole_and_nothing_takes_it_away() {
        let defaults = map(json!({"status": [200], "headers": {"a": 1}, "max_time": "2s"}));
        let own = map(json!({"headers": {"b": 2}, "max_time": null, "json": null}));
        assert_eq!(
            Value::Object(merged(Some(&defaults), Some(own))),
            json!({"status": [200], "headers": {"b": 2}, "json": null})
        );
        assert_eq!(merged(Some(&defaults), None), defaults);
    }

    #[test]
    fn the_limit_counts_bytes_as_postgresql_prints_them() {
        let with = |text: usize| {
            map(json!({
                "body": [{"contains": "x".repeat(text)}, {"not_contains": "y"}],
                "status": [200, "3xx"],
            }))
        };
        let frame =
            r#"{"body": [{"contains": ""}, {"not_contains": "y"}], "status": [200, "3xx"]}"#.len();
        let mut options = MapValidator::expect();
        options.text(with(MAX_OPTIONS_BYTES - frame)).unwrap();
        assert_eq!(
            options
                .text(with(MAX_OPTIONS_BYTES - frame + 1))
                .unwrap_err()
                .to_string(),
            "expect: 65537 bytes as JSON; at most 65536"
        );
    }
}
