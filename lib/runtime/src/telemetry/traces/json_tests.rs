//! The request to a collector, and what its answers mean.

use contract::trace::Trace;

use super::super::span::Kind;
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
