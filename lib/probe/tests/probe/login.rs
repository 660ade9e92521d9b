//! Servers that ask who asks: answers to challenges of digest authentication, and what a 401 says.

use contract::outcome::Reason;
use md5::{Digest as _, Md5};

use crate::case::{down, run, up};
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
        .find_map(|line| line.strip_prefix("authorization: "))
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
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
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
    let said = "hop 4: expect: status 401, expected 2xx; the server asks for Digest (realm \"shelly\"): use \
                request.digest; request.digest is sent to the origin of the site's url alone";
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

#[test]
fn servers_that_ask_for_credentials_say_which() {
    let says = |name, act, said: &str| {
        let said = format!("expect: status 401, expected 2xx; {said}");
        down(name, act, Reason::Status, &said).status(401)
    };
    let basic = r#"{"basic": {"username": "me", "password": "pw"}}"#;
    let stale = "Digest realm=\"shelly\", qop=\"auth\", nonce=\"77\", stale=TRUE";
    let wrong = "the server refuses the credentials of request.digest";
    let twice = |name, acts: [Act; 2]| {
        let [first, second] = acts;
        let said = format!("hop 2: expect: status 401, expected 2xx; {wrong}");
        let case = down(name, first, Reason::Status, &said).then([second]);
        case.status(401).request(DIGEST)
    };
    let proxy = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"squid\"\r\n\r\n";
    run(vec![
        says(
            "Digest",
            refused(SHELLY),
            "the server asks for Digest (realm \"shelly\"): use request.digest",
        ),
        says(
            "Digest, and Basic is given",
            refused(SHELLY),
            "the server asks for Digest (realm \"shelly\"): use request.digest instead of request.basic",
        )
        .request(basic),
        says("Basic", refused("Basic realm=a"), "the server asks for Basic (realm \"a\"): use request.basic"),
        says(
            "Basic, and it is wrong",
            refused("Basic realm=a"),
            "the server refuses the credentials of request.basic",
        )
        .request(basic),
        says("Bearer", refused("Bearer"), "the server asks for Bearer: use request.bearer"),
        says(
            "Negotiate and NTLM",
            refused("Negotiate\r\nWWW-Authenticate: NTLM"),
            "the server asks for Negotiate or NTLM, which webmon does not speak",
        ),
        says(
            "nothing",
            Act::send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
            "the server does not say what it asks for: it sends no WWW-Authenticate",
        ),
        down(
            "a proxy",
            Act::send(proxy),
            Reason::Status,
            "expect: status 407, expected 2xx; a proxy asks for Basic (realm \"squid\")",
        )
        .status(407),
        up("Digest as expected", refused(SHELLY)).status(401).expect(r#"{"status": [401]}"#),
        up("an answer", refused(SHELLY)).then([Act::ok("hello")]).request(DIGEST).body(5),
        up("an answer that came too late", refused(SHELLY))
            .then([refused(stale), Act::ok("hello")])
            .request(DIGEST),
        twice("a wrong password", [refused(SHELLY), refused(SHELLY)]),
        twice("a wrong password, and another nonce", [refused(SHELLY), refused(&SHELLY.replace("5f", "6f"))]),
        down(
            "an answer that is too late each time",
            refused(SHELLY),
            Reason::Status,
            &format!("hop 3: expect: status 401, expected 2xx; {wrong}"),
        )
        .then([refused(stale), refused(stale)])
        .status(401)
        .request(DIGEST),
    ]);
}
