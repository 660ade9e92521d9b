//! What sites expect.

use contract::outcome::Reason;

use crate::hostile::{Act, Server};
use crate::{check, detail};

/// What the server answers.
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello";

/// What is expected of it, the reason, and how the detail begins.
const JUDGED: &[(&str, Option<Reason>, &str)] = &[
    (
        r#"{"status": [200], "headers": {"x-a": {"equals": "2"}}, "body": [{"contains": "ell"}], "max_time": "10s", "max_size": 5}"#,
        None,
        "",
    ),
    (
        r#"{"status": ["3xx", 204]}"#,
        Some(Reason::Status),
        "expect: status 200, expected 300-399, 204",
    ),
    (
        r#"{"headers": {"X-B": {"present": true}}}"#,
        Some(Reason::Header),
        "expect: header X-B is not there",
    ),
    (
        r#"{"headers": {"X-A": {"present": false}}}"#,
        Some(Reason::Header),
        "expect: header X-A is there; it is \"1\"",
    ),
    (
        r#"{"headers": {"X-A": {"equals": "3"}}}"#,
        Some(Reason::Header),
        "expect: header X-A is not \"3\"; it is \"1\"",
    ),
    (
        r#"{"headers": {"Content-Type": {"matches": "^json"}}}"#,
        Some(Reason::Header),
        "expect: header Content-Type does not match \"^json\"; it is \"text/html\"",
    ),
    (r#"{"headers": {"X-A": {"matches": "^2$"}}}"#, None, ""),
    (
        r#"{"body": [{"contains": "bye"}]}"#,
        Some(Reason::Body),
        "expect: the body does not contain \"bye\"; it begins with \"hello\"",
    ),
    (
        r#"{"body": [{"contains": "hell"}, {"not_contains": "ell"}]}"#,
        Some(Reason::Body),
        "expect: the body contains \"ell\"",
    ),
    (r#"{"body": [{"matches": "^h.+o$"}]}"#, None, ""),
    (
        r#"{"body": [{"not_matches": "h"}]}"#,
        Some(Reason::Body),
        "expect: the body matches \"h\"",
    ),
    (
        r#"{"max_size": 4}"#,
        Some(Reason::Size),
        "expect: the body has more than 4 bytes",
    ),
    (
        r#"{"max_time": "1us"}"#,
        Some(Reason::Slow),
        "expect: took ",
    ),
    (
        r#"{"status": [500], "body": [{"contains": "bye"}]}"#,
        Some(Reason::Status),
        "expect: status 200, expected 500",
    ),
];

#[test]
fn expectations_are_judged_each_with_its_reason() {
    for (expect, reason, said) in JUDGED {
        let server = Server::start(vec![Act::send(ANSWER)]);
        let result = check(&server.url("/"), "{}", expect);
        assert_eq!(result.reason, *reason, "{expect}: {result:?}");
        assert!(detail(&result).starts_with(said), "{expect}: {result:?}");
        assert_eq!(result.measured.status, Some(200));
    }
}

#[test]
fn json_is_judged_by_what_its_paths_lead_to() {
    const BODY: &str = r#"{"status": "ok", "queue": 12, "parts": [{"up": true}, {"up": false}]}"#;
    for (rule, reason, said) in [
        (r#"{"path": "$.status", "equals": "ok"}"#, None, ""),
        (r#"{"path": "$.queue", "less": 12.5}"#, None, ""),
        (
            r#"{"path": "$.status", "matches": "^up"}"#,
            Some(Reason::Json),
            r#"expect: $.status is "ok", expected a match of "^up""#,
        ),
        (
            r#"{"path": "$.parts[*].up", "equals": true}"#,
            Some(Reason::Json),
            "expect: $.parts[*].up is false, expected true",
        ),
        (
            r#"{"path": "$.error", "exists": true}"#,
            Some(Reason::Json),
            "expect: $.error is not there, expected a value",
        ),
        (
            r#"{"path": "$..up", "equals": true}"#,
            Some(Reason::InvalidSite),
            "expect.json[0].path: .. searches at every depth; write each step",
        ),
    ] {
        let server = Server::start(vec![Act::ok(BODY)]);
        let result = check(&server.url("/"), "{}", &format!(r#"{{"json": [{rule}]}}"#));
        assert_eq!(result.reason, reason, "{rule}: {result:?}");
        assert!(detail(&result).starts_with(said), "{rule}: {result:?}");
    }
    let server = Server::start(vec![Act::send(ANSWER)]);
    let expect = r#"{"body": [{"contains": "hello"}], "json": [{"path": "$", "exists": true}]}"#;
    let result = check(&server.url("/"), "{}", expect);
    assert_eq!(result.reason, Some(Reason::Json), "{result:?}");
    assert_eq!(
        detail(&result),
        r#"expect: the body is no JSON (expected value at line 1 column 1); it begins with "hello""#
    );
}

#[test]
fn json_beyond_the_limit_is_judged_as_far_as_that_goes() {
    for (rule, reason) in [
        (r#"{"path": "$.up", "equals": true}"#, None),
        (r#"{"path": "$.up", "exists": false}"#, Some(Reason::Json)),
        (
            r#"{"path": "$.log", "matches": "x"}"#,
            Some(Reason::TooLarge),
        ),
        (
            r#"{"path": "$.end", "exists": false}"#,
            Some(Reason::TooLarge),
        ),
    ] {
        let start = "HTTP/1.1 200 OK\r\n\r\n{\"up\": true, \"log\": \"";
        let server = Server::start(vec![Act::Endless(start)]);
        let result = check(&server.url("/"), "{}", &format!(r#"{{"json": [{rule}]}}"#));
        assert_eq!(result.reason, reason, "{rule}: {result:?}");
    }
}
