//! From a response to the next request, where the response asks for one.
//!
//! The library's own following is not used: it takes headers to other origins and reads the bodies
//! of redirects without limit.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contract::outcome::Reason;
use contract::site::{Request, parse_url};
use ureq::http::{HeaderMap, Method, header};
use url::Url;

use super::Step;
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// The requests of a check so far.
#[derive(Debug)]
pub(crate) struct Trail {
    /// The request that was sent last.
    pub(crate) step: Step,
    /// Those before it, each by a number: their URLs would take much memory.
    passed: Vec<u64>,
}

impl Trail {
    /// A trail that begins with `step`.
    pub(crate) fn new(step: Step) -> Self {
        Self {
            step,
            passed: Vec::new(),
        }
    }

    /// Goes on to the request that a response asks for; `false` if the response is the last. `admit` says
    /// whether the request's secrets may go to another origin, or why not.
    pub(crate) fn follow(
        &mut self,
        status: u16,
        headers: &HeaderMap,
        request: &Request,
        admit: impl FnOnce(&Url) -> Result<(), String>,
    ) -> Result<bool, Fault> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) || request.redirects == 0 {
            return Ok(false);
        }
        let url = destination(&self.step.url, headers)?;
        if self.passed.len() >= usize::from(request.redirects) {
            let limit = request.redirects;
            return Err(fault(format!(
                "more than {limit} redirects; the next is to {}",
                shown(&url)
            )));
        }
        let trusted = self.step.trusted && stays_trusted(&self.step.url, &url, admit);
        let next = next_step(&self.step, url, status, trusted)?;
        if next == self.step || self.passed.contains(&number(&next)) {
            return Err(fault(format!("a loop: back to {}", shown(&next.url))));
        }
        self.passed.push(number(&self.step));
        self.step = next;
        Ok(true)
    }
}

/// A number that stands for a request.
fn number(step: &Step) -> u64 {
    let mut hasher = DefaultHasher::new();
    step.hash(&mut hasher);
    hasher.finish()
}

/// Where a redirect leads.
fn destination(from: &Url, headers: &HeaderMap) -> Result<Url, Fault> {
    let Some(location) = headers.get(header::LOCATION) else {
        return Err(fault("no Location"));
    };
    let unusable = |why: &str| fault(format!("Location {} {why}", quote(location.as_bytes())));
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| unusable("is no UTF-8"))?;
    let joined = from
        .join(text)
        .map_err(|error| unusable(&format!("is unusable ({error})")))?;
    let mut url = parse_url(joined.as_str()).map_err(|error| unusable(&error.message))?;
    url.set_fragment(None);
    Ok(url)
}

/// The request that a redirect to `url` asks for; `trusted` says whether its server gets what the first got.
fn next_step(from: &Step, url: Url, status: u16, trusted: bool) -> Result<Step, Fault> {
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
    })
}

/// Whether what was meant for one URL's server may go to the other's: the same scheme, host and port, or the
/// step from plain HTTP to HTTPS at the usual ports of one host. That is another origin, for which `admit`
/// is asked: without its secrets a request keeps nothing of its site's, and the check says why.
fn stays_trusted(from: &Url, to: &Url, admit: impl FnOnce(&Url) -> Result<(), String>) -> bool {
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
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    quote(url.as_str().as_bytes())
}

/// A redirect that cannot be followed.
fn fault(message: impl Into<String>) -> Fault {
    Fault::at("redirect", Reason::Redirects, message)
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
