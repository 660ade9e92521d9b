//! Spans as OTLP writes them in JSON: ids in hexadecimal, 64-bit numbers as text.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use contract::instant::UnixUs;
use serde_json::{Value as Json, json};

use super::span::{Span, Value};

/// The status code of a span that failed; one that did not has none.
const ERROR: u8 = 2;

/// Whose spans they are.
pub(super) fn resource(service: &str, instance: &str) -> Json {
    let attributes = [
        ("service.name", service),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", instance),
    ];
    let attribute = |(key, text): (&str, &str)| attribute(key, &json!({"stringValue": text}));
    json!({"attributes": attributes.map(attribute)})
}

/// What is sent to the collector.
pub(super) fn request(resource: &Json, spans: &[Span]) -> Json {
    let spans: Vec<_> = spans.iter().map(span).collect();
    let scope = json!({"name": "webmon", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

/// How many spans the collector has refused, by its answer to a request that it took.
pub(super) fn rejected(answer: &[u8]) -> Option<u64> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let number = answer.pointer("/partialSuccess/rejectedSpans")?;
    // a 64-bit number is text, but many write it as a number
    number.as_u64().or_else(|| number.as_str()?.parse().ok())
}

/// One span.
fn span(span: &Span) -> Json {
    let Span {
        trace,
        name,
        id,
        parent,
        kind,
        start,
        end,
        attributes,
        error,
    } = span;
    let attributes: Vec<_> = attributes
        .iter()
        .map(|(key, said)| attribute(key, &value(said)))
        .collect();
    let mut json = json!({
        "traceId": format!("{:032x}", trace.id),
        "spanId": format!("{id:016x}"),
        "name": name,
        "kind": *kind as u8,
        "startTimeUnixNano": nanos(*start),
        "endTimeUnixNano": nanos(*end.max(start)),
        "attributes": attributes,
    });
    if let Json::Object(fields) = &mut json {
        if let Some(parent) = parent {
            fields.insert("parentSpanId".to_owned(), format!("{parent:016x}").into());
        }
        if let Some(error) = error {
            let status = json!({"code": ERROR, "message": error});
            fields.insert("status".to_owned(), status);
        }
    }
    json
}

/// A key and what it says.
fn attribute(key: &str, value: &Json) -> Json {
    json!({"key": key, "value": value})
}

/// What an attribute says.
fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Whole(number) => json!({"intValue": number.to_string()}),
    }
}

/// Nanoseconds since the Unix epoch, as text.
fn nanos(at: UnixUs) -> String {
    at.0.max(0).saturating_mul(1_000).to_string()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
