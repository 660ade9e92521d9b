//! What a proxy's refusal says of the proxy, and what of the site.

use contract::outcome::Reason;

use super::Route;
use super::answer::Answer;
use crate::fault::Fault;
use crate::redact::quote;

/// Why a proxy opens no tunnel to `target`. With 502, 503 and 504 it says what it found of the site (RFC 9110, 15.6);
/// with all else it refuses the request itself.
pub(super) fn tunnel(route: &Route, target: &str, answer: &Answer) -> Fault {
    let Answer {
        status,
        line,
        challenges,
    } = answer;
    let said = quote(line);
    let missed = |reason| {
        let what = format!("could not reach {target}: it answers {said}");
        route.fault(reason, &what)
    };
    let refused = |remedy: &str| {
        let what = format!("refuses CONNECT {target}: it answers {said}; {remedy}");
        route.fault(Reason::ProxyRefused, &what)
    };
    match status {
        // tinyproxy answers 401 to a wrong login; the site is not asked yet
        401 | 407 => {
            let challenges: Vec<_> = challenges.iter().map(Vec::as_slice).collect();
            login(route, &challenges)
        }
        504 => missed(Reason::ConnectTimeout),
        502 | 503 => missed(Reason::ConnectFailed),
        // what tinyproxy answers where others answer 502
        500 if is_about_connecting(line) => missed(Reason::ConnectFailed),
        403 => refused("let it allow this host and port"),
        _ => refused("it may be no proxy, or one without CONNECT"),
    }
}

/// Whether a status line says in words that a connection was not made.
fn is_about_connecting(line: &[u8]) -> bool {
    let words = String::from_utf8_lossy(line).to_ascii_lowercase();
    words.contains("connect")
}

/// The proxy wants another login, as its `Proxy-Authenticate` says.
pub(super) fn login(route: &Route, challenges: &[&[u8]]) -> Fault {
    let asked = quote(&challenges.join(&b", "[..]));
    let what = if !challenges.iter().any(|challenge| offers_basic(challenge)) {
        format!("asks for a login, {asked}; webmon speaks Basic alone")
    } else if route.authorization().is_some() {
        format!("refuses the username and password of request.proxy; it asks for {asked}")
    } else {
        format!("asks for a login, {asked}; write username and password into request.proxy")
    };
    route.fault(Reason::ProxyRefused, &what)
}

/// Whether a challenge, or one of several in one line, is Basic (RFC 9110, 11.6.1).
fn offers_basic(challenge: &[u8]) -> bool {
    let text = String::from_utf8_lossy(challenge).to_ascii_lowercase();
    let mut challenges = text.split(',').map(str::trim_start);
    challenges.any(|challenge| challenge.split_whitespace().next() == Some("basic"))
}
