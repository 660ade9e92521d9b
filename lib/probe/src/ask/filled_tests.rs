//! What becomes of a request, and which values it cannot take.

use std::time::Duration;

use runtime::config::Secret;

use super::*;
use crate::options::Secrets;
use crate::redact;

/// The values of these tests.
fn vault() -> Vault {
    let long = "x".repeat(9_000);
    let longest = "y".repeat(65_536);
    let values = [
        ("KEY", "k 1"),
        ("USER", "me"),
        ("PASSWORD", "p:w"),
        ("TOKEN", "t0ken"),
        ("COLON", "a:b"),
        ("LINES", "one\ntwo"),
        ("LONG", &long),
        ("LONGEST", &longest),
        ("PEM", "-----BEGIN PRIVATE KEY-----\n"),
    ];
    let variables = values.map(|(name, value)| (name.to_owned(), Secret::new(value)));
    Vault::new(&Secrets {
        variables: variables.into(),
        ..Secrets::default()
    })
}

/// Fills a request in a check of its own and looks at it.
fn fill<T>(json: &str, look: impl FnOnce(FilledRequest<'_>) -> T) -> Result<T, Fault> {
    observed::begin(Duration::ZERO, 0);
    let request = Request::parse(json).unwrap();
    let url = "https://a.example/".parse().unwrap();
    FilledRequest::new(&request, &vault(), &url).map(look)
}

/// The headers as they are sent.
fn lines(filled: &FilledRequest<'_>) -> Vec<String> {
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    let headers = filled.headers.iter();
    headers
        .map(|(name, value)| format!("{name}: {}", text(value)))
        .collect()
}

#[test]
fn values_stand_where_their_names_stood() {
    for (json, headers, body) in [
        ("{}", &[][..], None),
        (
            r#"{"headers": {"X-Key": "<${secret:KEY}>", "X-Plain": "é"}, "body": "${secret:LINES}"}"#,
            &["x-key: <k 1>", "x-plain: é"],
            Some("one\ntwo"),
        ),
        (
            r#"{"basic": {"username": "${secret:USER}", "password": "${secret:PASSWORD}!"}}"#,
            &["authorization: Basic bWU6cDp3IQ=="],
            None,
        ),
        (
            r#"{"bearer": "v1.${secret:TOKEN}", "body": "plain"}"#,
            &["authorization: Bearer v1.t0ken"],
            Some("plain"),
        ),
    ] {
        let found = fill(json, |filled| {
            (lines(&filled), filled.body.map(Cow::into_owned))
        });
        let expected: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(
            found.unwrap(),
            (expected, body.map(str::to_owned)),
            "{json}"
        );
    }
}

#[test]
fn the_key_of_a_certificate_is_the_secret_that_the_site_names() {
    let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let tls = serde_json::json!({"certificate": certificate.cert.pem(), "key": "${secret:PEM}"});
    let json = serde_json::json!({"tls": tls}).to_string();
    let key = fill(&json, |filled| filled.client_key).unwrap();
    assert_eq!(key.as_deref(), Some("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(fill("{}", |filled| filled.client_key).unwrap(), None);
}

#[test]
fn values_that_cannot_be_sent_are_missing_secrets_and_are_not_told() {
    for (json, said) in [
        (
            r#"{"headers": {"X-Key": "a ${secret:LINES}"}}"#,
            "request.headers.X-Key: with ${secret:LINES}: contains a line break or another control \
             character; remove it",
        ),
        (
            r#"{"headers": {"X": "${secret:LONG}"}}"#,
            "request.headers.X: with ${secret:LONG}: the header line is 9005 bytes long; at most 8192",
        ),
        (
            r#"{"bearer": "${secret:KEY}"}"#,
            "request.bearer: with ${secret:KEY}: is no token; write printable ASCII without spaces",
        ),
        (
            r#"{"bearer": "${secret:LONG}"}"#,
            "request.bearer: with ${secret:LONG}: the header line is 9017 bytes long; at most 8192",
        ),
        (
            r#"{"basic": {"username": "${secret:COLON}", "password": ""}}"#,
            "request.basic.username: with ${secret:COLON}: contains a colon, which ends a user name; \
             remove it",
        ),
        (
            r#"{"basic": {"username": "a", "password": "${secret:LINES}"}}"#,
            "request.basic.password: with ${secret:LINES}: contains a control character; remove it",
        ),
        (
            r#"{"digest": {"username": "${secret:COLON}", "password": ""}}"#,
            "request.digest.username: with ${secret:COLON}: contains a colon, which ends a user name; \
             remove it",
        ),
        (
            r#"{"basic": {"username": "a", "password": "${secret:USER}${secret:LONG}"}}"#,
            "request.basic.password: with ${secret:USER}${secret:LONG}: 9002 bytes long; at most 2048",
        ),
        (
            r#"{"body": "${secret:LONGEST}${secret:LONGEST}${secret:LONGEST}${secret:LONGEST}${secret:KEY}"}"#,
            "request: its secrets have more than 262144 bytes; name fewer",
        ),
        (
            r#"{"body": "${secret:NOBODY}"}"#,
            "secret NOBODY: there is no variable WEBMON_SECRET_NOBODY, and secrets.dir is not set; \
             set one of them and restart the checker",
        ),
    ] {
        let fault = fill(json, |_| ()).unwrap_err();
        assert_eq!(fault.reason, Reason::SecretMissing, "{json}");
        assert_eq!(fault.detail(0), said, "{json}");
    }
}

#[test]
fn what_is_made_of_secrets_is_shown_by_their_names_too() {
    let json = r#"{"basic": {"username": "me", "password": "${secret:PASSWORD}"}}"#;
    let printed = fill(json, |filled| format!("{filled:?}")).unwrap();
    assert!(
        printed.contains("authorization") && !printed.contains("bWU"),
        "{printed}"
    );
    let shown = redact::printable(b"p:w bWU6cDp3 p:", 64);
    assert_eq!(shown, "${secret:PASSWORD} ${secret:PASSWORD} p:");
    // without a secret there is nothing to hide
    fill(r#"{"basic": {"username": "a", "password": "b"}}"#, |_| ()).unwrap();
    assert_eq!(redact::printable(b"YTpi", 64), "YTpi");
}

#[test]
fn a_body_without_secrets_is_not_copied_and_credentials_are_not_printed() {
    let json = r#"{"body": "plain", "headers": {"X-Key": "hunter2"}}"#;
    fill(json, |filled| {
        assert!(matches!(filled.body, Some(Cow::Borrowed(_))));
        let printed = format!("{filled:?} {:?}", filled.headers);
        assert!(
            !printed.contains("hunter2") && !printed.contains("plain"),
            "{printed}"
        );
    })
    .unwrap();
}

#[test]
fn a_login_for_digest_authentication_is_sent_in_no_header() {
    let json = r#"{"digest": {"username": "${secret:USER}", "password": "${secret:PASSWORD}!"}}"#;
    fill(json, |filled| {
        assert_eq!(lines(&filled), [""; 0]);
        let login = filled.login.as_ref().unwrap();
        assert_eq!((&*login.username, &*login.password), ("me", "p:w!"));
        assert_eq!(login.shown, "${secret:USER}${secret:PASSWORD}");
        let printed = format!("{filled:?}");
        assert!(!printed.contains("p:w"), "{printed}");
    })
    .unwrap();
}
