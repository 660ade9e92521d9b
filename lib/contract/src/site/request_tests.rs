//! What `request` accepts, and how it refuses the rest.

use proptest::prelude::*;

use super::*;
use crate::site::Expect;

#[test]
fn an_empty_request_is_a_get_that_follows_ten_redirects() {
    let request = Request::parse("{}").unwrap();
    assert_eq!(request, Request::default());
    assert_eq!((request.method.as_str(), request.redirects), ("GET", 10));
}

#[test]
fn every_key_is_read() {
    let request = Request::parse(
        r#"{"method": "POST", "headers": {"X-Y": "a b", "Accept": "*/*"}, "body": "hé",
            "basic": {"username": "me", "password": "p:w"}, "redirects": 0}"#,
    )
    .unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.headers[0], ("X-Y".to_owned(), template("a b")));
    assert_eq!(request.headers[1].0, "Accept");
    assert_eq!(request.body, Some(template("hé")));
    assert_eq!(request.redirects, 0);
    assert_eq!(format!("{:?}", request.auth), "Some(Basic(***))");
    let digest = Request::parse(r#"{"digest": {"username": "me", "password": "p:w"}}"#).unwrap();
    let (username, password) = (template("me"), template("p:w"));
    assert_eq!(digest.auth, Some(Auth::Digest { username, password }));
    assert_eq!(format!("{:?}", digest.auth), "Some(Digest(***))");
    let bearer = Request::parse(r#"{"bearer": "abc"}"#).unwrap();
    assert_eq!(bearer.auth, Some(Auth::Bearer(template("abc"))));
}

#[test]
fn a_family_of_addresses_is_a_number_or_a_word() {
    for (ip, family) in [
        ("4", Family::V4),
        ("\"4\"", Family::V4),
        ("6", Family::V6),
        ("\"any\"", Family::Any),
    ] {
        let request = Request::parse(&format!(r#"{{"ip": {ip}}}"#)).unwrap();
        assert_eq!(request.ip, family, "{ip}");
    }
}

#[test]
fn a_body_that_is_not_read_can_be_judged_by_nothing() {
    let head = Request::parse(r#"{"read": "head"}"#).unwrap();
    let all = Request::parse(r#"{"read": "all"}"#).unwrap();
    assert_eq!((head.read, all.read), (Extent::Head, Extent::All));
    for (expect, key) in [
        (r#"{"body": [{"contains": "a"}]}"#, "expect.body"),
        (
            r#"{"json": [{"path": "$", "exists": true}]}"#,
            "expect.json",
        ),
        (r#"{"max_size": 5}"#, "expect.max_size"),
    ] {
        let needs = Expect::parse(expect).unwrap().needs_body();
        assert_eq!(
            head.refuse_unread(needs).unwrap_err().to_string(),
            format!(
                "request.read: head leaves the body unread, and {key} needs it; remove one of the two"
            )
        );
        assert_eq!(all.refuse_unread(needs), Ok(()));
    }
    let needs = Expect::parse(r#"{"status": [200], "max_time": "1s", "body": []}"#);
    assert_eq!(head.refuse_unread(needs.unwrap().needs_body()), Ok(()));
}

#[test]
fn secrets_may_stand_in_headers_body_and_credentials() {
    let request = Request::parse(
        r#"{"headers": {"X-Key": "k ${secret:KEY}"}, "body": "${secret:BODY}",
            "basic": {"username": "${secret:USER}", "password": "${secret:PASSWORD}"}}"#,
    )
    .unwrap();
    let names = |template: &Template| template.secrets().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&request.headers[0].1), ["KEY"]);
    assert_eq!(names(request.body.as_ref().unwrap()), ["BODY"]);
    let Some(Auth::Basic { username, password }) = &request.auth else {
        panic!("{request:?}")
    };
    assert_eq!(
        (names(username), names(password)),
        (vec!["USER".to_owned()], vec!["PASSWORD".to_owned()])
    );
    let bearer = Request::parse(r#"{"bearer": "${secret:TOKEN}"}"#).unwrap();
    assert_eq!(bearer.auth, Some(Auth::Bearer(template("${secret:TOKEN}"))));
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

/// What is refused, and the words.
const NONSENSE: &[(&str, &str)] = &[
    (
        "",
        "request: is no JSON (EOF while parsing a value at line 1 column 0); write an object like {}",
    ),
    (
        "[]",
        r#"request: is an array; write an object like {"method": "HEAD"}"#,
    ),
    (
        "null",
        r#"request: is null; write an object like {"method": "HEAD"}"#,
    ),
    (
        r#"{"metod": "GET"}"#,
        "request.metod: unknown key; known are method, headers, body, basic, digest, bearer, redirects, ip, proxy, read, tls",
    ),
    (
        r#"{"ip": 5}"#,
        r#"request.ip: "5" is no family of addresses; write 4, 6 or "any""#,
    ),
    (
        r#"{"ip": ["4"]}"#,
        r#"request.ip: is an array; write 4, 6 or "any""#,
    ),
    (
        r#"{"read": "body"}"#,
        r#"request.read: "body" is no part of an answer; write "head" or "all""#,
    ),
    (
        r#"{"read": true}"#,
        r#"request.read: is true or false; write "head" or "all""#,
    ),
    (
        r#"{"method": "GET", "method": "GET"}"#,
        "request.method: stands there twice; keep one",
    ),
    (
        r#"{"method": 1}"#,
        r#"request.method: is a number; write a string like "HEAD""#,
    ),
    (
        r#"{"method": "get"}"#,
        r#"request.method: "get" is not upper case; write "GET""#,
    ),
    (
        r#"{"method": "A B"}"#,
        r#"request.method: "A B" is no method; write one like GET, HEAD or POST"#,
    ),
    (
        r#"{"method": "CONNECT"}"#,
        "request.method: CONNECT is for proxies; write one like GET, HEAD or POST",
    ),
    (
        r#"{"headers": []}"#,
        r#"request.headers: is an array; write an object like {"Accept": "text/html"}"#,
    ),
    (
        r#"{"headers": {"X-Y": 1}}"#,
        "request.headers.X-Y: is a number; write a string",
    ),
    (
        r#"{"headers": {"X Y": ""}}"#,
        r#"request.headers.X Y: "X Y" is no header name; use letters, digits and hyphens"#,
    ),
    (
        r#"{"headers": {"X-Y": "a\r\nb"}}"#,
        "request.headers.X-Y: contains a line break or another control character; remove it",
    ),
    (
        r#"{"headers": {"X-Y": "", "x-y": ""}}"#,
        "request.headers.x-y: stands there twice (case does not matter); keep one",
    ),
    (
        r#"{"headers": {"Content-Length": "3"}}"#,
        "request.headers.Content-Length: webmon sets this header itself; remove it",
    ),
    (
        r#"{"headers": {"X-Y": "${secret:a}"}}"#,
        r#"request.headers.X-Y: "a" is no name of a secret; write at most 64 of A-Z, 0-9 and _"#,
    ),
    (
        r#"{"body": "${secret:A"}"#,
        "request.body: ${secret: is not closed; write ${secret:NAME}",
    ),
    (
        r#"{"bearer": "a b"}"#,
        "request.bearer: is no token; write printable ASCII without spaces",
    ),
    (
        r#"{"basic": ["a", "b"]}"#,
        r#"request.basic: is an array; write an object like {"username": "me", "password": "…"}"#,
    ),
    (
        r#"{"basic": {"username": "a"}}"#,
        "request.basic: lacks password; add it",
    ),
    (
        r#"{"basic": {"username": "a:b", "password": ""}}"#,
        "request.basic.username: contains a colon, which ends a user name; remove it",
    ),
    (
        r#"{"basic": {"username": "a", "password": ""}, "bearer": "b"}"#,
        "request.bearer: request.basic is there too; keep one of them",
    ),
    (
        r#"{"digest": "a:b"}"#,
        r#"request.digest: is a string; write an object like {"username": "me", "password": "…"}"#,
    ),
    (
        r#"{"digest": {"username": "a"}}"#,
        "request.digest: lacks password; add it",
    ),
    (
        r#"{"digest": {"username": "a", "password": "b", "realm": "c"}}"#,
        "request.digest.realm: unknown key; known are username, password",
    ),
    (
        r#"{"digest": {"username": "a:b", "password": ""}}"#,
        "request.digest.username: contains a colon, which ends a user name; remove it",
    ),
    (
        r#"{"digest": {"username": "a", "password": "b\n"}}"#,
        "request.digest.password: contains a control character; remove it",
    ),
    (
        r#"{"digest": {"username": "a", "password": ""}, "basic": {"username": "a", "password": ""}}"#,
        "request.digest: request.basic is there too; keep one of them",
    ),
    (
        r#"{"bearer": "b", "digest": {"username": "a", "password": ""}}"#,
        "request.bearer: request.digest is there too; keep one of them",
    ),
    (
        r#"{"headers": {"authorization": "x"}, "bearer": "b"}"#,
        "request.bearer: request.headers has Authorization too; keep one of them",
    ),
    (
        r#"{"headers": {"Authorization": "x"}, "digest": {"username": "a", "password": ""}}"#,
        "request.digest: request.headers has Authorization too; keep one of them",
    ),
    (
        r#"{"redirects": -1}"#,
        "request.redirects: is a number that is negative or not whole; write a number of redirects like 3",
    ),
    (
        r#"{"redirects": 21}"#,
        "request.redirects: 21 redirects are too many; at most 20",
    ),
    (
        r#"{"redirects": 1e400}"#,
        "request.redirects: is a number that is negative or not whole; write a number of redirects like 3",
    ),
];

#[test]
fn nonsense_is_refused_with_its_place_and_the_remedy() {
    for (json, fault) in NONSENSE {
        assert_eq!(
            Request::parse(json).unwrap_err().to_string(),
            *fault,
            "{json}"
        );
    }
}

#[test]
fn what_is_too_long_is_refused() {
    let value = "a".repeat(8_190);
    let error = Request::parse(&format!(r#"{{"headers": {{"X": "{value}"}}}}"#)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "request.headers.X: the header line is 8195 bytes long; at most 8192"
    );
    let error = Request::parse(&" ".repeat(65_537)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "request: 65537 bytes long; at most 65536"
    );
    let deep = "[".repeat(60_000);
    assert!(
        Request::parse(&deep)
            .unwrap_err()
            .to_string()
            .contains("recursion limit")
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        text in r#"\{("(method|headers|body|basic|digest|bearer|redirects|ip|proxy|read|tls)": ?(\{("[a-zA-Z\-]{0,3}": ?"\PC{0,9}",?){0,2}\}|"\PC{0,9}"|-?[0-9]{1,30}|null),?){0,3}\}|\PC{0,40}"#,
    ) {
        if let Err(error) = Request::parse(&text) {
            prop_assert!(error.key.starts_with("request"));
        }
    }
}

#[test]
fn there_are_only_so_many_headers() {
    let headers = |count: usize| {
        let headers = (0..count).map(|n| format!(r#""X-{n}": "a""#));
        format!(
            r#"{{"headers": {{{}}}}}"#,
            headers.collect::<Vec<_>>().join(", ")
        )
    };
    assert_eq!(Request::parse(&headers(64)).unwrap().headers.len(), 64);
    assert_eq!(
        Request::parse(&headers(65)).unwrap_err().to_string(),
        "request.headers: has 65 headers; at most 64"
    );
}
