//! What people are told of a 401 and a 407.

use super::*;

/// What is said of these challenges to a site with this request.
fn said(challenges: &[&str], request: &str, trusted: bool) -> String {
    let lines = challenges
        .iter()
        .map(|line| (header::WWW_AUTHENTICATE, line.parse().unwrap()));
    let request = Request::parse(request).unwrap();
    of_server(&lines.collect(), &request, trusted)
}

const BASIC: &str = r#"{"basic": {"username": "a", "password": "b"}}"#;
const DIGEST: &str = r#"{"digest": {"username": "a", "password": "b"}}"#;
const HEADER: &str = r#"{"headers": {"authorization": "x"}}"#;

const SHELLY: &str = r#"Digest realm="shelly", qop="auth", nonce="5f3d", algorithm=SHA-256"#;

/// Challenges, what the site gives, and what is said.
const CASES: &[(&[&str], &str, &str)] = &[
    (
        &[SHELLY],
        "{}",
        r#"the server asks for Digest (realm "shelly"): use request.digest"#,
    ),
    (
        &["Basic realm=a"],
        "{}",
        r#"the server asks for Basic (realm "a"): use request.basic"#,
    ),
    (
        &["bearer"],
        "{}",
        "the server asks for bearer: use request.bearer",
    ),
    (
        &[
            "Negotiate, Digest realm=a, nonce=b",
            "Basic realm=a",
            "Basic realm=a",
        ],
        "{}",
        r#"the server asks for Digest (realm "a") or Basic (realm "a"): use request.digest or request.basic"#,
    ),
    (
        &["Negotiate", "NTLM"],
        "{}",
        "the server asks for Negotiate or NTLM, which webmon does not speak",
    ),
    (
        &[],
        "{}",
        "the server does not say what it asks for: it sends no WWW-Authenticate",
    ),
    (
        &["Digest realm=a, nonce=b, algorithm=SHA3"],
        "{}",
        r#"the server asks for Digest (realm "a"), which webmon cannot answer: its algorithm "SHA3" is none of MD5, SHA-256 and SHA-512-256"#,
    ),
    (
        &[SHELLY],
        BASIC,
        r#"the server asks for Digest (realm "shelly"): use request.digest instead of request.basic"#,
    ),
    (
        &[],
        BASIC,
        "the server refuses the credentials of request.basic",
    ),
    (
        &[],
        DIGEST,
        "the server does not say what it asks for: it sends no WWW-Authenticate",
    ),
    (
        &["Negotiate, Basic realm=a"],
        BASIC,
        "the server refuses the credentials of request.basic",
    ),
    (
        &[SHELLY],
        DIGEST,
        "the server refuses the credentials of request.digest",
    ),
    (
        &["Digest realm=a"],
        DIGEST,
        r#"the server asks for Digest (realm "a"), which webmon cannot answer: it has no nonce"#,
    ),
    (
        &[r#"Bearer realm="a", error="invalid_token", error_description="it expired""#],
        r#"{"bearer": "t"}"#,
        r#"the server refuses the credentials of request.bearer; it says "it expired""#,
    ),
    (
        &["NTLM"],
        HEADER,
        "the server refuses the credentials of request.headers.Authorization",
    ),
];

#[test]
fn a_401_says_what_the_server_asks_for_and_the_remedy() {
    for (challenges, request, expected) in CASES {
        let found = said(challenges, request, true);
        assert_eq!(found, *expected, "{challenges:?} {request}");
    }
    assert_eq!(
        said(&["Basic realm=a"], BASIC, false),
        "the server asks for Basic (realm \"a\"); request.basic is sent to the origin of \
         the site's url alone"
    );
}

#[test]
fn a_407_says_what_the_proxy_asks_for() {
    let of = |line: &str| {
        of_proxy(&HeaderMap::from_iter([(
            header::PROXY_AUTHENTICATE,
            line.parse().unwrap(),
        )]))
    };
    assert_eq!(
        of("Basic realm=squid"),
        r#"a proxy asks for Basic (realm "squid")"#
    );
    let said = "a proxy asks for credentials, and does not say which";
    assert_eq!(of_proxy(&HeaderMap::new()), said);
}
