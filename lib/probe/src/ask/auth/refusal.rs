//! What a 401 or 407 asks for, and what the site's owner can do: the status alone does not say it.

use contract::site::Request;
use contract::site::auth::Auth;
use ureq::http::{HeaderMap, header};

use super::challenge::Challenge;
use super::digest::Digest;
use crate::redact::{printable, quote};

/// The most that is shown of a scheme's name, in characters.
const SCHEME_CHARS: usize = 32;

/// What the site's row gives for the server to know who asks.
struct Given {
    /// The key of the row.
    key: &'static str,
    /// The scheme; a header of the site's own may be of any.
    scheme: Option<&'static str>,
}

/// What a 401 says; `trusted` tells whether the site's credentials went along.
pub(in crate::ask) fn of_server(headers: &HeaderMap, request: &Request, trusted: bool) -> String {
    let challenges = Challenge::all(headers, &header::WWW_AUTHENTICATE);
    let given = Given::of(request);
    let Some(given) = given else {
        return asked(&challenges, None);
    };
    if !trusted {
        let what = match challenges.as_slice() {
            [] => asked(&[], None),
            some => format!("the server asks for {}", list(some.iter().map(described))),
        };
        let key = given.key;
        return format!("{what}; {key} is sent to the origin of the site's url alone");
    }
    let answered: Vec<_> = challenges
        .iter()
        .filter(|challenge| given.answers(challenge))
        .collect();
    // an answer of digest authentication is not sent unasked
    let asked_first = !challenges.is_empty() || given.scheme == Some("Digest");
    if answered.is_empty() && asked_first {
        return asked(&challenges, Some(given.key));
    }
    if given.scheme == Some("Digest")
        && let Some(why) = unanswerable(&answered)
    {
        return why;
    }
    let errors: String = answered
        .iter()
        .filter_map(|challenge| error(challenge))
        .collect();
    format!(
        "the server refuses the credentials of {}{errors}",
        given.key
    )
}

/// What a 407 says.
pub(in crate::ask) fn of_proxy(headers: &HeaderMap) -> String {
    let challenges = Challenge::all(headers, &header::PROXY_AUTHENTICATE);
    if challenges.is_empty() {
        return "a proxy asks for credentials, and does not say which".to_owned();
    }
    format!(
        "a proxy asks for {}",
        list(challenges.iter().map(described))
    )
}

impl Given {
    /// What a request gives, if anything.
    fn of(request: &Request) -> Option<Self> {
        let (key, scheme) = match &request.auth {
            Some(Auth::Basic { .. }) => ("request.basic", Some("Basic")),
            Some(Auth::Digest { .. }) => ("request.digest", Some("Digest")),
            Some(Auth::Bearer(_)) => ("request.bearer", Some("Bearer")),
            None => {
                let mut names = request.headers.iter().map(|(name, _)| name);
                names.find(|name| name.eq_ignore_ascii_case("authorization"))?;
                ("request.headers.Authorization", None)
            }
        };
        Some(Self { key, scheme })
    }

    /// Whether this is meant for such a challenge.
    fn answers(&self, challenge: &Challenge<'_>) -> bool {
        self.scheme.is_none_or(|scheme| challenge.is(scheme))
    }
}

/// What the server asks for, and the remedy; `given` is the key that was of no use.
fn asked(challenges: &[Challenge<'_>], given: Option<&str>) -> String {
    if challenges.is_empty() {
        return "the server does not say what it asks for: it sends no WWW-Authenticate".to_owned();
    }
    let known: Vec<_> = challenges
        .iter()
        .filter(|challenge| remedy(challenge).is_some())
        .collect();
    if known.is_empty() {
        let digests: Vec<_> = challenges
            .iter()
            .filter(|challenge| challenge.is("Digest"))
            .collect();
        return unanswerable(&digests).unwrap_or_else(|| {
            let all = list(challenges.iter().map(described));
            format!("the server asks for {all}, which webmon does not speak")
        });
    }
    let what = list(known.iter().map(|challenge| described(challenge)));
    let remedies = list(
        known
            .iter()
            .filter_map(|challenge| remedy(challenge))
            .map(str::to_owned),
    );
    let instead = given.map_or(String::new(), |key| format!(" instead of {key}"));
    format!("the server asks for {what}: use {remedies}{instead}")
}

/// Why webmon can answer none of these challenges of digest authentication, if that is so.
fn unanswerable(digests: &[&Challenge<'_>]) -> Option<String> {
    let mut faults = digests.iter().map(|challenge| Digest::of(challenge).err());
    let why = faults.next()??;
    if faults.any(|why| why.is_none()) {
        return None;
    }
    let first = described(digests.first()?);
    Some(format!(
        "the server asks for {first}, which webmon cannot answer: {why}"
    ))
}

/// The key by which a site's row answers a challenge.
fn remedy(challenge: &Challenge<'_>) -> Option<&'static str> {
    if challenge.is("Digest") {
        return Digest::of(challenge).is_ok().then_some("request.digest");
    }
    let keys = [("Basic", "request.basic"), ("Bearer", "request.bearer")];
    let found = keys.into_iter().find(|(scheme, _)| challenge.is(scheme));
    found.map(|(_, key)| key)
}

/// A challenge by its name and what it is for.
fn described(challenge: &Challenge<'_>) -> String {
    let scheme = printable(challenge.scheme, SCHEME_CHARS);
    match challenge.get("realm") {
        Some(realm) => format!("{scheme} (realm {})", quote(realm)),
        None => scheme,
    }
}

/// What a server says of a token that it refuses (RFC 6750, 3).
fn error(challenge: &Challenge<'_>) -> Option<String> {
    let said = challenge
        .get("error_description")
        .or_else(|| challenge.get("error"))?;
    Some(format!("; it says {}", quote(said)))
}

/// Names one after the other; each once.
fn list(names: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all.join(" or ")
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
