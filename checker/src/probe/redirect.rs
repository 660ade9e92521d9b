//! From a response to the next request, where the response asks for one.
//!
//! The library's own following is not used: it takes headers to other origins and reads the bodies
//! of redirects without limit.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contract::outcome::Reason;
use contract::site::{Request, parse_url};
use ureq::http::{HeaderMap, Method, header};
use url::Url;

use super::ask::Step;
use super::fault::{Fault, quote};

/// The requests of a check so far.
#[derive(Debug)]
pub(super) struct Trail {
    /// The request that was sent last.
    pub(super) step: Step,
    /// Those before it, each by a number: their URLs would take much memory.
    passed: Vec<u64>,
}

impl Trail {
    /// A trail that begins with `step`.
    pub(super) fn new(step: Step) -> Self {
        Self {
            step,
            passed: Vec::new(),
        }
    }

    /// Goes on to the request that a response asks for; `false` if the response is the last.
    pub(super) fn follow(
        &mut self,
        status: u16,
        headers: &HeaderMap,
        request: &Request,
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
        let next = next_step(&self.step, url, status)?;
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

/// The request that a redirect to `url` asks for.
fn next_step(from: &Step, url: Url, status: u16) -> Result<Step, Fault> {
    let trusted = from.trusted && is_trusted(&from.url, &url);
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

/// Whether what was meant for one URL's server may go to the other's: the same scheme, host and port,
/// or the step from plain HTTP to HTTPS at the usual ports of one host.
fn is_trusted(from: &Url, to: &Url) -> bool {
    let port = Url::port_or_known_default;
    let upgrade =
        |url: &Url, scheme: &str, number: u16| url.scheme() == scheme && port(url) == Some(number);
    from.host() == to.host()
        && ((from.scheme() == to.scheme() && port(from) == port(to))
            || (upgrade(from, "http", 80) && upgrade(to, "https", 443)))
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
mod tests {
    use super::*;

    fn step(method: &str, url: &str, with_body: bool) -> Step {
        Step {
            url: url.parse().unwrap(),
            method: method.parse().unwrap(),
            trusted: true,
            with_body,
        }
    }

    #[test]
    fn what_belongs_to_a_site_stays_with_its_origin() {
        for (from, to, trusted) in [
            ("http://a.example/x", "http://a.example/y", true),
            ("http://a.example/x", "https://a.example/y", true),
            ("http://a.example:80/", "https://a.example:443/", true),
            ("https://a.example/", "http://a.example/", false),
            ("http://a.example:8080/", "https://a.example/", false),
            ("http://a.example/", "https://a.example:8443/", false),
            ("http://a.example/", "http://www.a.example/", false),
            ("http://a.example/", "http://a.example:81/", false),
        ] {
            assert_eq!(
                is_trusted(&from.parse().unwrap(), &to.parse().unwrap()),
                trusted,
                "{from} {to}"
            );
        }
    }

    #[test]
    fn trust_that_was_lost_does_not_come_back() {
        let away = next_step(
            &step("GET", "http://a.example/", false),
            "http://b.example/".parse().unwrap(),
            302,
        )
        .unwrap();
        let back = next_step(&away, "http://a.example/".parse().unwrap(), 302).unwrap();
        assert!(!away.trusted && !back.trusted);
    }

    #[test]
    fn methods_and_bodies_are_repeated_only_where_they_should_be() {
        let same = "http://a.example/y";
        let other = "http://b.example/";
        for (method, body, status, to, expected) in [
            ("GET", false, 302, other, Some(("GET", false))),
            ("HEAD", false, 301, other, Some(("HEAD", false))),
            ("POST", true, 301, same, Some(("GET", false))),
            ("PUT", true, 303, same, Some(("GET", false))),
            ("POST", true, 307, same, Some(("POST", true))),
            (
                "POST",
                true,
                308,
                "https://a.example/",
                Some(("POST", true)),
            ),
            ("POST", true, 308, other, None),
            ("DELETE", false, 307, other, None),
            ("GET", true, 307, other, None),
            ("GET", false, 308, other, Some(("GET", false))),
        ] {
            let next = next_step(
                &step(method, "http://a.example/x", body),
                to.parse().unwrap(),
                status,
            );
            let found = next.as_ref().ok().map(|n| (n.method.as_str(), n.with_body));
            assert_eq!(found, expected, "{method} {body} {status} {to}");
        }
    }
}
