//! One request of a check, as the HTTP library wants it.

use contract::outcome::Reason;
use contract::site::Request;
use ureq::http::{self, HeaderName, HeaderValue, Method, header};
use ureq::{Agent, Body};
use url::Url;

use super::fault::{self, Fault};
use super::fill::Filled;
use super::tls::clients::Handshake;
use super::{record, redact};

/// Methods that say how long their body is even when there is none.
const WITH_BODY: &[&str] = &["POST", "PUT", "PATCH"];

/// One request of a check: the first, or one that a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where to; without a fragment.
    pub(super) url: Url,
    /// The method.
    pub(super) method: String,
    /// Whether the site's headers and credentials go along, and its ways of TLS.
    pub(super) trusted: bool,
    /// Whether the site's body goes along.
    pub(super) with_body: bool,
}

impl Step {
    /// The first request of a check.
    pub(super) fn first(url: &Url, request: &Request) -> Self {
        let mut url = url.clone();
        url.set_fragment(None);
        Self {
            url,
            method: request.method.clone(),
            trusted: true,
            with_body: request.body.is_some(),
        }
    }

    /// Asks, and waits for the head of the response; `own` is how the site wants TLS to be spoken.
    pub(super) fn ask(
        &self,
        agent: &Agent,
        filled: &Filled<'_>,
        own: Option<&Handshake>,
    ) -> Result<http::Response<Body>, Fault> {
        let message = self.message(filled)?;
        let url = redact::url(self.url.as_str());
        record::begin_hop(&self.method, &url, longest_line(&message));
        // What the site trusts, and who it takes webmon for, is no other server's business.
        let own = own.filter(|_| self.trusted).cloned();
        record::with(|record| record.handshake = own);
        let sent = match filled.body.as_deref().filter(|_| self.with_body) {
            Some(body) => agent.run(message.map(|()| body)),
            None if WITH_BODY.contains(&self.method.as_str()) => agent.run(message.map(|()| "")),
            None => agent.run(message),
        };
        let response = sent.map_err(fault::explain)?;
        let status = response.status().as_u16();
        record::with(|record| record.hop().map(|hop| hop.status = Some(status)));
        Ok(response)
    }

    /// The request's head.
    fn message(&self, filled: &Filled<'_>) -> Result<http::Request<()>, Fault> {
        let nonsense = |error: http::Error| {
            Fault::at(
                "request",
                Reason::InvalidSite,
                format!("cannot be sent: {error}"),
            )
        };
        let mut message = http::Request::builder()
            .method(Method::from_bytes(self.method.as_bytes()).map_err(|e| nonsense(e.into()))?)
            .uri(self.url.as_str())
            .header(header::CONNECTION, "close")
            .body(())
            .map_err(nonsense)?;
        if self.trusted {
            for (name, value) in self.own_headers(filled) {
                message.headers_mut().insert(name.clone(), value.clone());
            }
        }
        Ok(message)
    }

    /// The site's own headers and credentials, as far as they fit this request.
    fn own_headers<'f>(
        &self,
        filled: &'f Filled<'_>,
    ) -> impl Iterator<Item = &'f (HeaderName, HeaderValue)> {
        let dropped_body = filled.body.is_some() && !self.with_body;
        let headers = filled.headers.iter();
        headers.filter(move |(name, _)| !(dropped_body && name.as_str().starts_with("content-")))
    }
}

/// The longest line of a request's head, in bytes.
fn longest_line(message: &http::Request<()>) -> usize {
    let target = message
        .uri()
        .path_and_query()
        .map_or(1, |p| p.as_str().len());
    // method, blanks and version
    let first = message.method().as_str().len() + target + " / HTTP/1.1\r\n".len();
    let host = message.uri().host().map_or(0, str::len) + "host: :65535\r\n".len();
    let headers = message.headers().iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .fold(first.max(host), usize::max)
}
