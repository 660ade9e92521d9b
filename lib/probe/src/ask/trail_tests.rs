//! What of the responses goes into the later requests.

use std::time::Duration;

use runtime::config::Secret;

use super::*;
use crate::options::Secrets;
use crate::redact;
use crate::secrets::Vault;

/// Follows the responses to `request` on `url`, each with its status and header lines; says what is asked at each
/// step, or what is wrong.
fn follow(request: &str, url: &str, responses: Responses<'_>) -> Vec<String> {
    observed::begin(Duration::ZERO, 0);
    let request = Request::parse(request).unwrap();
    let url: Url = url.parse().unwrap();
    let vault = Vault::new(&Secrets::default());
    let filled = FilledRequest::new(&request, &vault, &url).unwrap();
    let mut trail = Trail::new(Step::first(url, &request).unwrap());
    let followed = responses.iter().map(|(status, lines)| {
        let mut response = Response::builder().status(*status);
        for line in *lines {
            let (name, value) = line.split_once(": ").unwrap();
            response = response.header(name, value);
        }
        let response = response.body(()).unwrap();
        match trail.follow(&response, &request, &filled, |_| Ok(())) {
            Ok(true) => said(&trail.step),
            Ok(false) => format!(
                "stays: {:?}",
                observed::with(|observed| observed.remark.take())
            ),
            Err(fault) => fault.to_string(),
        }
    });
    followed.collect()
}

/// What a step sends.
fn said(step: &Step) -> String {
    let mut said = step.url.to_string();
    for (name, value) in [("Cookie", &step.cookies), ("Authorization", &step.answer)] {
        if let Some(value) = value {
            let value = String::from_utf8_lossy(value.as_bytes());
            said = format!("{said} {name}: {value}");
        }
    }
    said
}

#[test]
fn trust_that_was_lost_does_not_come_back() {
    let own = r#"{"headers": {"cookie": "own=1"}}"#;
    let found = follow(
        own,
        "http://a.example/",
        &[
            (302, &["location: http://a.example/2", "set-cookie: c=2"]),
            (302, &["location: http://b.example/"]),
            (302, &["location: http://a.example/3"]),
        ],
    );
    assert_eq!(
        found,
        [
            "http://a.example/2 Cookie: own=1; c=2",
            "http://b.example/",
            "http://a.example/3 Cookie: c=2",
        ]
    );
}

#[test]
fn a_request_with_other_cookies_is_another_one() {
    let here = "location: /";
    for (responses, said) in [
        (
            &[(302, &["set-cookie: a=1", here][..])][..],
            "http://a.example/ Cookie: a=1",
        ),
        (
            &[
                (302, &["set-cookie: a=1", here][..]),
                (302, &["set-cookie: a=1", here]),
            ],
            "redirect: a loop: back to \"http://a.example/\"; the server sets the cookie \"a\" again and again",
        ),
        (
            &[
                (302, &["set-cookie: a=1", here][..]),
                (302, &["set-cookie: a=2", here]),
                (302, &["set-cookie: a=; max-age=0", "set-cookie: b=1", here]),
            ],
            "http://a.example/ Cookie: b=1",
        ),
        (
            &[(
                302,
                &["set-cookie: a=1; secure", "set-cookie: b=1; path=/b", here][..],
            )],
            "redirect: a loop: back to \"http://a.example/\"; the server sets the cookie \"a\", which is not sent back: it \
             is Secure, and came over plain HTTP",
        ),
        (
            &[
                (302, &["set-cookie: a=1; secure", "location: /login"][..]),
                (302, &["set-cookie: b=1; path=/b", here]),
            ],
            "redirect: a loop: back to \"http://a.example/\"; the server sets the cookie \"a\", which is not sent back: it \
             is Secure, and came over plain HTTP",
        ),
        (
            &[(302, &["set-cookie: b=1; path=/b", here][..])],
            "redirect: a loop: back to \"http://a.example/\"; the server sets the cookie \"b\", which is not for that address",
        ),
        (
            &[(302, &["set-cookie: b=1; max-age=0", here][..])],
            "redirect: a loop: back to \"http://a.example/\"; the server deletes the cookie \"b\"",
        ),
        (
            &[(302, &[here][..])],
            "redirect: a loop: back to \"http://a.example/\"",
        ),
    ] {
        let found = follow("{}", "http://a.example/", responses);
        assert_eq!(found.last().unwrap(), said, "{responses:?}");
    }
}

#[test]
fn the_sites_own_cookies_stay_as_they_are() {
    let request = r#"{"headers": {"Cookie": "a=own; b=own"}, "redirects": 1}"#;
    let set = ["set-cookie: a=1", "set-cookie: c=1; path=/", "location: /2"];
    assert_eq!(
        follow(request, "http://a.example/", &[(302, &set)]),
        ["http://a.example/2 Cookie: a=own; b=own; c=1"]
    );
    let set = ["set-cookie: a=1", "location: /"];
    assert_eq!(
        follow(request, "http://a.example/", &[(302, &set)]),
        [
            "redirect: a loop: back to \"http://a.example/\"; the server sets the cookie \"a\", for which request.headers has \
          another value"
        ]
    );
}

#[test]
fn too_many_redirects_name_the_cookie_that_is_set_again() {
    let found = follow(
        r#"{"redirects": 2}"#,
        "http://a.example/",
        &[
            (302, &["set-cookie: sid=1", "location: /"]),
            (302, &["set-cookie: sid=2", "location: /"]),
            (302, &["set-cookie: sid=3", "location: /"]),
        ],
    );
    assert_eq!(
        found.last().unwrap(),
        "redirect: more than 2 redirects; the next is to \"http://a.example/\"; the server sets the cookie \"sid\" again and \
         again"
    );
}

#[test]
fn a_redirect_without_a_location_is_judged_as_the_answer() {
    for lines in [&[][..], &["location: "]] {
        let found = follow("{}", "http://a.example/", &[(302, lines)]);
        assert_eq!(found, [r#"stays: Some("it has no Location to follow")"#]);
    }
}

const DIGEST: &str = r#"{"digest": {"username": "me", "password": "pw"}}"#;
const CHALLENGE: &str = "www-authenticate: Digest realm=r, nonce=n, qop=auth";

/// What is said of steps with answers: their counts, in place of the whole.
fn counts(responses: Responses<'_>) -> Vec<String> {
    let steps = follow(DIGEST, "http://a.example/", responses);
    let count = |step: String| {
        let Some((url, answer)) = step.split_once(" Authorization: ") else {
            return step;
        };
        let (_, count) = answer.split_once(" nc=").unwrap();
        let nonce = answer
            .split_once("nonce=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        format!("{url} {nonce} {}", count.split_once(',').unwrap().0)
    };
    steps.into_iter().map(count).collect()
}

const REFUSED: &str = "stays: Some(\"the server refuses the credentials of request.digest\")";
const STALE: &str = "www-authenticate: Digest realm=r, nonce=m, qop=auth, stale=true";

/// Statuses and header lines.
type Responses<'a> = &'a [(u16, &'a [&'a str])];

/// Responses, and what is asked after each.
const ANSWERED: &[(Responses<'_>, &[&str])] = &[
    (&[(401, &[CHALLENGE])], &["http://a.example/ n 00000001"]),
    (
        &[(401, &[CHALLENGE]), (401, &[CHALLENGE])],
        &["http://a.example/ n 00000001", REFUSED],
    ),
    (
        &[(401, &[CHALLENGE]), (401, &[STALE]), (401, &[STALE])],
        &[
            "http://a.example/ n 00000001",
            "http://a.example/ m 00000001",
            REFUSED,
        ],
    ),
    // back to the first address, but now with an answer
    (
        &[
            (302, &["location: /login"]),
            (401, &[CHALLENGE]),
            (302, &["location: /"]),
        ],
        &[
            "http://a.example/login",
            "http://a.example/login n 00000001",
            "http://a.example/ n 00000002",
        ],
    ),
    (
        &[
            (401, &[CHALLENGE]),
            (302, &["location: /b"]),
            (401, &[STALE]),
            (401, &[STALE]),
            (401, &[STALE]),
        ],
        &[
            "http://a.example/ n 00000001",
            "http://a.example/b n 00000002",
            "http://a.example/b m 00000001",
            "http://a.example/b m 00000001",
            REFUSED,
        ],
    ),
    (
        &[
            (401, &[CHALLENGE]),
            (302, &["location: http://b.example/"]),
            (401, &[CHALLENGE]),
        ],
        &[
            "http://a.example/ n 00000001",
            "http://b.example/",
            "stays: Some(\"the server asks for Digest (realm \\\"r\\\"); request.digest is \
                 sent to the origin of the site's url alone\")",
        ],
    ),
    (
        &[(401, &[CHALLENGE]), (302, &["location: /"])],
        &[
            "http://a.example/ n 00000001",
            "redirect: a loop: back to \"http://a.example/\"",
        ],
    ),
    (
        &[(401, &[CHALLENGE, "set-cookie: a=1"])],
        &["http://a.example/ Cookie: a=1 n 00000001"],
    ),
];

#[test]
fn a_challenge_is_answered_once_and_the_answer_stays_with_the_origin() {
    for (responses, said) in ANSWERED {
        assert_eq!(counts(responses), *said, "{responses:?}");
    }
}

#[test]
fn an_answer_that_no_server_would_read_is_not_sent() {
    let challenge = format!("www-authenticate: Digest nonce={}", "n".repeat(4_000));
    let long = format!("location: /{}", "a".repeat(6_000));
    let responses: [(u16, &[&str]); 2] = [(401, &[&challenge]), (302, &[&long])];
    let found = follow(DIGEST, "http://a.example/", &responses);
    let said = "request.digest: the answer to the server's challenge has 10094 bytes; at most 8175";
    assert_eq!(found[1], said);
}

#[test]
fn what_proves_a_secret_is_not_shown() {
    observed::begin(Duration::ZERO, 0);
    let json = r#"{"digest": {"username": "me", "password": "${secret:PW}"}}"#;
    let request = Request::parse(json).unwrap();
    let url: Url = "http://a.example/".parse().unwrap();
    let variables = [("PW".to_owned(), Secret::new("hunter2"))];
    let vault = Vault::new(&Secrets {
        variables: variables.into(),
        ..Secrets::default()
    });
    let filled = FilledRequest::new(&request, &vault, &url).unwrap();
    let mut trail = Trail::new(Step::first(url, &request).unwrap());
    let (_, challenge) = CHALLENGE.split_once(": ").unwrap();
    let response = Response::builder()
        .status(401)
        .header("www-authenticate", challenge);
    assert!(
        trail
            .follow(&response.body(()).unwrap(), &request, &filled, |_| Ok(()))
            .unwrap()
    );
    let answer = trail.step.answer.unwrap();
    let (_, proof) = answer.to_str().unwrap().split_once("response=").unwrap();
    assert_eq!(redact::printable(proof, 64), "\"${secret:PW}\"");
}
