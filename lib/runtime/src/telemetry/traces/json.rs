//! Spans as OTLP writes them in JSON: ids in hexadecimal, 64-bit numbers as text.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use contract::instant::UnixUs;
use serde_json::{Value as Json, json};

use super::{Span, Value};

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
mod tests {
    use contract::trace::Trace;

    use super::super::Kind;
    use super::*;

    #[test]
    fn a_request_is_what_the_specification_says() {
        let trace = Trace {
            id: 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c,
            root: 0x0ee1_9b7e_c3c1_b174,
        };
        let root = Span::root(
            trace,
            "check",
            (UnixUs(1_795_449_600_123_456), UnixUs(1_795_449_600_200_000)),
        );
        let mut child = Span::below(trace.root, trace, "probe", (UnixUs(7), UnixUs(6)))
            .kind(Kind::Client)
            .with("http.response.status_code", 500)
            .failed("status");
        child.id = 0xeee1_9b7e_c3c1_b173;
        let resource = resource("webmon-checker", "a1");
        let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            request(&resource, &[root, child]),
            json!({"resourceSpans": [{
                "resource": {"attributes": [
                    text("service.name", "webmon-checker"),
                    text("service.version", version),
                    text("service.instance.id", "a1"),
                ]},
                "scopeSpans": [{
                    "scope": {"name": "webmon", "version": version},
                    "spans": [{
                        "traceId": "5b8efff798038103d269b633813fc60c",
                        "spanId": "0ee19b7ec3c1b174",
                        "name": "check",
                        "kind": 1,
                        "startTimeUnixNano": "1795449600123456000",
                        "endTimeUnixNano": "1795449600200000000",
                        "attributes": [],
                    }, {
                        "traceId": "5b8efff798038103d269b633813fc60c",
                        "spanId": "eee19b7ec3c1b173",
                        "parentSpanId": "0ee19b7ec3c1b174",
                        "name": "probe",
                        "kind": 3,
                        "startTimeUnixNano": "7000",
                        "endTimeUnixNano": "7000",
                        "attributes": [
                            {"key": "http.response.status_code", "value": {"intValue": "500"}},
                            text("error.type", "status"),
                        ],
                        "status": {"code": 2, "message": "status"},
                    }],
                }],
            }]})
        );
    }

    #[test]
    fn what_a_collector_refuses_is_read_from_its_answer() {
        for (answer, refused) in [
            ("", None),
            ("{}", None),
            (r#"{"partialSuccess":{}}"#, None),
            (
                r#"{"partialSuccess":{"rejectedSpans":"7","errorMessage":"full"}}"#,
                Some(7),
            ),
            (r#"{"partialSuccess":{"rejectedSpans":7}}"#, Some(7)),
        ] {
            assert_eq!(rejected(answer.as_bytes()), refused, "{answer}");
        }
    }
}
