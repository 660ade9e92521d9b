//! Answers to challenges: the examples of the RFCs, and what servers ask for beyond them.

use ureq::http::HeaderMap;
use ureq::http::header::WWW_AUTHENTICATE;

use super::*;

/// The header of these challenges.
fn headers(challenges: &str) -> HeaderMap {
    HeaderMap::from_iter([(WWW_AUTHENTICATE, challenges.parse().unwrap())])
}

/// The challenge that is chosen.
fn choose(challenges: &str) -> Option<Digest> {
    Digest::choose(&Challenge::all(&headers(challenges), &WWW_AUTHENTICATE))
}

fn login(username: &str, password: &str) -> Login {
    Login {
        username: username.to_owned(),
        password: password.to_owned(),
        shown: String::new(),
    }
}

/// The answer to a challenge, by the nonce of the client.
fn answer(challenge: &str, login: &Login, target: Target<'_>, nonce: &str) -> String {
    let mut digest = choose(challenge).unwrap();
    nonce.clone_into(&mut digest.client_nonce);
    String::from_utf8(digest.answer(login, target).unwrap().header).unwrap()
}

/// A request of a page.
fn page(uri: &str) -> Target<'_> {
    Target {
        method: "GET",
        uri,
        body: "",
    }
}

#[test]
fn the_examples_of_the_rfcs_are_answered_as_they_are_there() {
    let opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    // RFC 7616, 3.9.1
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let challenge = format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{nonce}", opaque="{opaque}""#
        );
        let login = login("Mufasa", "Circle of Life");
        let said = answer(&challenge, &login, page("/dir/index.html"), own);
        let expected = format!(
            r#"Digest username="Mufasa", realm="http-auth@example.org", nonce="{nonce}", uri="/dir/index.html", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{own}", response="{response}", opaque="{opaque}""#
        );
        assert_eq!(said, expected);
    }
    // RFC 7616, 3.9.2, with the values of erratum 4897
    let challenge = r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true"#;
    let own = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let jason = login("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let response = r#"response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5""#;
    let said = answer(challenge, &jason, page("/doe.json"), own);
    let name =
        r#"Digest username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", "#;
    assert!(said.starts_with(name) && said.contains(response), "{said}");
    assert!(said.ends_with(", userhash=true"), "{said}");
    let said = answer(
        &challenge.replace("userhash=true", ""),
        &jason,
        page("/doe.json"),
        own,
    );
    assert!(
        said.starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "),
        "{said}"
    );
    assert!(said.contains(response), "{said}");
    // RFC 2069, as RFC 2617 has its numbers: neither qop nor algorithm
    let challenge = r#"Digest realm="testrealm@host.com", opaque="", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
    let said = answer(
        challenge,
        &login("Mufasa", "Circle Of Life"),
        page("/dir/index.html"),
        "0a",
    );
    let expected = r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="670fd8c2df070c60b045671b8b24ff02", opaque="""#;
    assert_eq!(said, expected);
}

#[test]
fn sessions_and_bodies_are_protected_where_the_server_wants_it() {
    let post = Target {
        method: "POST",
        uri: "/x?y=1",
        body: "body",
    };
    // made with Python's hashlib
    for (challenge, response) in [
        (
            "qop=auth-int, algorithm=MD5-sess",
            "cb3016ee577b74ca961ca5e7067835af",
        ),
        (
            "qop=\"auth-int\", algorithm=\"sha-256-SESS\"",
            "8097caee8319a24aa1017d34d085ae3449c071dff856607eba77389fbf9e1ca1",
        ),
        (
            "qop=AUTH-INT, algorithm=SHA-512-256-sess",
            "ac86348bb4d085cfa2c430cc9ce386474f25412e9761d40dbc7d86c84a3054f2",
        ),
    ] {
        let challenge = format!(r#"Digest realm="a \"b\"", nonce=n, {challenge}"#);
        let mut digest = choose(&challenge).unwrap();
        "0a4f113b".clone_into(&mut digest.client_nonce);
        let login = login("me", "p:w");
        let first = digest.answer(&login, post).unwrap();
        let second = digest.answer(&login, post).unwrap();
        assert_ne!(first.response, response, "{challenge}");
        assert_eq!(second.response, response, "{challenge}");
        let header = String::from_utf8(second.header).unwrap();
        assert!(header.contains(r#"realm="a \"b\"""#), "{header}");
        assert!(
            header.contains(r#"qop=auth-int, nc=00000002, cnonce="0a4f113b""#),
            "{header}"
        );
    }
}

#[test]
fn the_strongest_challenge_that_webmon_speaks_is_answered() {
    for (challenges, name) in [
        ("Digest nonce=n", Some("MD5")),
        (
            "Digest nonce=a, algorithm=MD5, Digest nonce=b, algorithm=SHA-256",
            Some("SHA-256"),
        ),
        (
            "Digest nonce=a, algorithm=SHA-512-256, Digest nonce=b",
            Some("SHA-512-256"),
        ),
        (
            "Digest nonce=a, algorithm=SHA-256, Digest nonce=b, algorithm=SHA-256-sess",
            Some("SHA-256"),
        ),
        (
            "Digest nonce=a, algorithm=SHA3, Basic realm=x, digest nonce=b",
            Some("MD5"),
        ),
        ("Digest nonce=a, algorithm=SHA3", None),
        ("Digest nonce=a, qop=auth-conf", None),
        ("Digest realm=a", None),
        ("Basic realm=a", None),
    ] {
        let found = choose(challenges).map(|digest| digest.algorithm.name());
        assert_eq!(found, name, "{challenges}");
    }
}

#[test]
fn a_challenge_is_not_repeated_at_any_length() {
    let long = |bytes: usize| choose(&format!("Digest nonce={}", "\\n".repeat(bytes / 2)));
    assert!(long(MAX_CHALLENGE_BYTES).is_some());
    assert!(long(MAX_CHALLENGE_BYTES + 2).is_none());
}

#[test]
fn no_two_challenges_are_answered_with_one_nonce() {
    let login = login("me", "pw");
    let nonce = || {
        let mut digest = choose("Digest nonce=n, qop=auth").unwrap();
        digest.answer(&login, page("/")).unwrap();
        digest.client_nonce
    };
    assert_eq!(nonce().len(), 32);
    assert_ne!(nonce(), nonce());
}
