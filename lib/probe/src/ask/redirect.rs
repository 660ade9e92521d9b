//! The request that a redirect asks for, and what goes along.
//!
//! The library's own following is not used: it takes headers to other origins and reads the bodies
//! of redirects without limit.

use contract::outcome::Reason;
use ureq::http::Method;
use url::Url;

use super::Step;
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// The request that a redirect to `url` asks for; `trusted` says whether its server gets what the first got.
pub(super) fn next_step(from: &Step, url: Url, status: u16, trusted: bool) -> Result<Step, Fault> {
    let harmless = matches!(from.method, Method::GET | Method::HEAD) && !from.with_body;
    let repeats = matches!(status, 307 | 308);
    if repeats && !trusted && !harmless {
        let message = format!(
            "{status} to {}: {} is repeated only to the same origin",
            shown(&url),
            from.method
        );
        return Err(fault(message));
    }
    let method = match &from.method {
        method if repeats || *method == Method::HEAD => method.clone(),
        _ => Method::GET,
    };
    Ok(Step {
        url,
        method,
        trusted,
        with_body: from.with_body && repeats,
        cookies: None,
        answer: None,
    })
}

/// Whether what was meant for one URL's server may go to the other's: the same scheme, host and port, or the
/// step from plain HTTP to HTTPS at the usual ports of one host. That is another origin, for which `admit`
/// is asked: without its secrets a request keeps nothing of its site's, and the check says why.
pub(super) fn stays_trusted(
    from: &Url,
    to: &Url,
    admit: impl FnOnce(&Url) -> Result<(), String>,
) -> bool {
    let port = Url::port_or_known_default;
    let at =
        |url: &Url, scheme: &str, number: u16| url.scheme() == scheme && port(url) == Some(number);
    if from.host() != to.host() {
        return false;
    }
    if from.scheme() == to.scheme() && port(from) == port(to) {
        return true;
    }
    if !at(from, "http", 80) || !at(to, "https", 443) {
        return false;
    }
    let admitted = admit(to);
    if let Err(why) = &admitted {
        observed::with(|observed| observed.withheld = Some(why.as_str().into()));
    }
    admitted.is_ok()
}

/// A URL as it is shown: without its query, which may carry a session.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    quote(url.as_str().as_bytes())
}

/// A redirect that cannot be followed.
pub(super) fn fault(message: impl Into<String>) -> Fault {
    Fault::at("redirect", Reason::Redirects, message)
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
