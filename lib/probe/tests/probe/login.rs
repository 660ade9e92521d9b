//! Servers that ask who asks: answers to challenges of digest authentication, and what a 401 says.

use contract::outcome::Reason;
use md5::{Digest as _, Md5};

use crate::case::{Case, down, table, up};
use crate::hostile::{Act, Server};
use crate::{check, detail};

/// A site with digest authentication.
const DIGEST: &str = r#"{"digest": {"username": "me", "password": "pw"}}"#;
/// A challenge.
const SHELLY: &str = r#"Digest realm="shelly", qop="auth", nonce="5f3d", algorithm=MD5"#;

/// A 401 with this challenge.
fn refused(challenge: &str) -> Act {
    Act::send(&format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// The credentials of a request, if it has any.
fn credentials(request: &str) -> Option<&str> {
    request
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: "))
}

/// A parameter of them.
fn parameter<'r>(credentials: &'r str, name: &str) -> &'r str {
    let (_, value) = credentials.split_once(&format!("{name}=")).unwrap();
    let value = value.split([',', ' ']).next().unwrap();
    value.trim_matches('"')
}

/// Whether these credentials are those of `me` with the password `pw` for the realm `shelly`.
fn proves(credentials: &str, method: &str) -> bool {
    let hash = |text: String| {
        let digest = Md5::digest(text);
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().concat()
    };
    let of = |name| parameter(credentials, name);
    let secret = hash("me:shelly:pw".to_owned());
    let asked = hash(format!("{method}:{}", of(" uri")));
    let (nonce, count, own) = (of(" nonce"), of("nc"), of("cnonce"));
    of("response") == hash(format!("{secret}:{nonce}:{count}:{own}:auth:{asked}"))
}

#[test]
fn a_challenge_is_answered_by_a_second_request() {
    let server = Server::start(vec![refused(SHELLY), Act::ok("hello")]);
    let request =
        r#"{"digest": {"username": "me", "password": "pw"}, "method": "POST", "body": "on"}"#;
    let result = check(&server.url("/rpc?id=1"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let requests = server.requests();
    assert_eq!(credentials(&requests[0]), None);
    let sent = credentials(&requests[1]).unwrap();
    assert!(
        sent.starts_with(r#"Digest username="me", realm="shelly""#),
        "{sent}"
    );
    assert_eq!(parameter(sent, " uri"), "/rpc?id=1");
    assert!(proves(sent, "POST"), "{sent}");
    assert!(
        requests
            .iter()
            .all(|request| request.ends_with("\r\n\r\non")),
        "{requests:?}"
    );
}

#[test]
fn a_redirect_within_the_origin_is_answered_beforehand_and_another_origin_is_not() {
    let other = Server::start(vec![refused(SHELLY)]);
    let first = Server::start(vec![
        refused(SHELLY),
        Act::to("/b"),
        Act::to(&other.url("/")),
    ]);
    let result = check(&first.url("/"), DIGEST, "{}");
    assert_eq!(result.reason, Some(Reason::Status), "{result:?}");
    let said = "hop 4: expect: status 401, expected 2xx; the server asks for Digest (realm \"shelly\"); \
                request.digest is sent to the origin of the site's url alone";
    assert_eq!(detail(&result), said);
    let requests = first.requests();
    let counts = requests
        .iter()
        .map(|request| Some(parameter(credentials(request)?, "nc")));
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts, [None, Some("00000001"), Some("00000002")]);
    assert!(proves(credentials(&requests[2]).unwrap(), "GET"));
    assert_eq!(credentials(&other.requests()[0]), None);
}

/// A site that is down by its 401, at the connection `hop`.
fn unauthorized(name: &'static str, act: Act, hop: usize, said: &str) -> Case {
    let hop = match hop {
        1 => String::new(),
        _ => format!("hop {hop}: "),
    };
    let said = format!("{hop}expect: status 401, expected 2xx; {said}");
    down(name, act, Reason::Status, &said).status(401)
}

#[test]
fn servers_that_ask_for_credentials_say_which() {
    let says = |name, challenge, said: &str| unauthorized(name, refused(challenge), 1, said);
    let basic = r#"{"basic": {"username": "me", "password": "pw"}}"#;
    let nothing = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let proxy = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"squid\"\r\n\r\n";
    let cases = vec![
        says(
            "Digest",
            SHELLY,
            "the server asks for Digest (realm \"shelly\"): use request.digest",
        ),
        says(
            "Digest, and Basic is given",
            SHELLY,
            "the server asks for Digest ",
        )
        .request(basic),
        says(
            "Basic",
            "Basic realm=a",
            "the server asks for Basic (realm \"a\"): use request.basic",
        ),
        says(
            "Basic, and it is wrong",
            "Basic realm=a",
            "the server refuses ",
        )
        .request(basic),
        says(
            "Bearer",
            "Bearer",
            "the server asks for Bearer: use request.bearer",
        ),
        says(
            "Negotiate and NTLM",
            "Negotiate\r\nWWW-Authenticate: NTLM",
            "the server asks for Negotiate or NTLM, which webmon does not speak",
        ),
        unauthorized(
            "nothing",
            Act::send(nothing),
            1,
            "the server does not say what it asks for",
        ),
        down(
            "a proxy",
            Act::send(proxy),
            Reason::Status,
            "expect: status 407, expected 2xx; a proxy asks for Basic (realm \"squid\")",
        )
        .status(407),
        up("Digest as expected", refused(SHELLY))
            .status(401)
            .expect(r#"{"status": [401]}"#),
    ];
    table("challenges", cases);
}

#[test]
fn answers_are_accepted_or_refused() {
    let stale = "Digest realm=\"shelly\", qop=\"auth\", nonce=\"77\", stale=TRUE";
    let other = "Digest realm=\"shelly\", qop=\"auth\", nonce=\"6f3d\"";
    let wrong = "the server refuses the credentials of request.digest";
    let case = |case: Case, acts: Vec<Act>| case.then(acts).request(DIGEST);
    let right = |name, challenge| up(name, refused(challenge));
    let refuses = |name, hop| unauthorized(name, refused(SHELLY), hop, wrong);
    let ok = || Act::ok("hello");
    let strong = "Digest realm=a, nonce=b, Digest realm=a, nonce=c, algorithm=SHA-512-256";
    let unknown = "Digest realm=a, nonce=b, algorithm=SHA3-256";
    let cases = vec![
        case(right("right", SHELLY), vec![ok()]),
        case(right("two algorithms", strong), vec![ok()]),
        case(
            right("right, but too late", SHELLY),
            vec![refused(stale), ok()],
        ),
        case(refuses("wrong", 2), vec![refused(SHELLY)]),
        case(refuses("wrong, and another nonce", 2), vec![refused(other)]),
        case(refuses("too late each time", 3), vec![refused(stale); 12]).hops(3),
        unauthorized(
            "an algorithm that webmon does not speak",
            refused(unknown),
            1,
            "the server ",
        )
        .request(DIGEST),
        unauthorized(
            "Basic alone",
            refused("Basic realm=a"),
            1,
            "the server asks for Basic ",
        )
        .request(DIGEST),
    ];
    table("digest", cases);
}
