//! Challenges as servers write them.

use std::fmt::Write as _;

use proptest::prelude::*;
use ureq::http::HeaderValue;
use ureq::http::header::WWW_AUTHENTICATE;

use super::*;

/// The challenges of these headers, one after the other.
fn read(lines: &[&str]) -> String {
    let headers = lines
        .iter()
        .map(|line| (WWW_AUTHENTICATE, line.parse().unwrap()));
    let headers: HeaderMap = headers.collect();
    let mut said = String::new();
    for challenge in Challenge::all(&headers, &WWW_AUTHENTICATE) {
        write!(said, "[{}", challenge.scheme.escape_ascii()).unwrap();
        for (name, value) in &challenge.parameters {
            write!(said, " {}=<{}>", name.escape_ascii(), value.escape_ascii()).unwrap();
        }
        said.push(']');
    }
    said
}

#[test]
fn challenges_are_read_as_servers_write_them() {
    for (lines, said) in [
        (&[r#"Basic realm="a b""#][..], "[Basic realm=<a b>]"),
        (&["Negotiate, NTLM"], "[Negotiate][NTLM]"),
        (&["Negotiate", "NTLM"], "[Negotiate][NTLM]"),
        (
            &["NTLM TlRMTVNTUAACAAAADAA="],
            "[NTLM TlRMTVNTUAACAAAADAA=<>]",
        ),
        (&["Negotiate oYG2/MIG+z , Basic"], "[Negotiate][Basic]"),
        (
            &[r#"Digest realm="a, b", qop="auth,auth-int",nonce=x/y==, Basic realm=c"#],
            "[Digest realm=<a, b> qop=<auth,auth-int> nonce=<x/y==>][Basic realm=<c>]",
        ),
        (
            &[r#",, Basic  realm = "a\"b\\c" ,"#],
            r#"[Basic realm=<a\"b\\c>]"#,
        ),
        (
            &[r#"Digest realm="a" nonce="b" opaque="""#],
            "[Digest realm=<a> nonce=<b> opaque=<>]",
        ),
        (
            &[r#"Basic realm="not closed"#],
            "[Basic realm=<not closed>]",
        ),
        (
            &["Basic realm=\"caf\u{e9}\""],
            r"[Basic realm=<caf\xc3\xa9>]",
        ),
        (&[r#"realm="of none""#], ""),
        (&["\"\", ="], ""),
        (&[""], ""),
    ] {
        assert_eq!(read(lines), said, "{lines:?}");
    }
    let many = "a b=c,".repeat(1_000);
    assert_eq!(read(&[&many]), "[a b=<c>]".repeat(MAX_CHALLENGES));
}

proptest! {
    #[test]
    fn challenges_are_bounded_whatever_a_server_asks_for(text in r#"([Da-c]{0,2}[ =,"\\/\t]{0,3}){0,99}"#) {
        let value = HeaderValue::from_str(&text).unwrap();
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]);
        let challenges = Challenge::all(&headers, &WWW_AUTHENTICATE);
        prop_assert!(challenges.len() <= MAX_CHALLENGES);
        for challenge in &challenges {
            prop_assert!(!challenge.scheme.is_empty());
            prop_assert!(challenge.parameters.len() <= MAX_PARAMETERS);
        }
    }
}
