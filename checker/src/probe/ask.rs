//! One request of a check, as the HTTP library wants it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use contract::outcome::Reason;
use contract::site::Request;
use contract::site::header::MAX_HEADER_LINE_BYTES;
use contract::site::request::Auth;
use ureq::http::{self, HeaderName, HeaderValue, Method, header};
use ureq::{Agent, Body};
use url::Url;

use super::fault::{self, Fault};
use super::record;

/// Methods that say how long their body is even when there is none.
const WITH_BODY: &[&str] = &["POST", "PUT", "PATCH"];

/// One request of a check: the first, or one that a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where to; without a fragment.
    pub(super) url: Url,
    /// The method.
    pub(super) method: String,
    /// Whether the site's headers and credentials go along.
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

    /// Asks, and waits for the head of the response.
    pub(super) fn ask(
        &self,
        agent: &Agent,
        request: &Request,
    ) -> Result<http::Response<Body>, Fault> {
        let message = self.message(request)?;
        record::begin_hop(&self.method, self.url.as_str(), longest_line(&message));
        let sent = match request.body.as_ref().filter(|_| self.with_body) {
            Some(body) => agent.run(message.map(|()| body.as_written())),
            None if WITH_BODY.contains(&self.method.as_str()) => agent.run(message.map(|()| "")),
            None => agent.run(message),
        };
        let response = sent.map_err(fault::explain)?;
        let status = response.status().as_u16();
        record::with(|record| record.hop().map(|hop| hop.status = Some(status)));
        Ok(response)
    }

    /// The request's head.
    fn message(&self, request: &Request) -> Result<http::Request<()>, Fault> {
        let nonsense = |error: http::Error| {
            Fault::at(
                "request",
                Reason::InvalidSite,
                format!("cannot be sent: {error}"),
            )
        };
        if self.url.as_str().len() > MAX_HEADER_LINE_BYTES - 64 {
            let message = "the URL is too long once its characters are escaped";
            return Err(Fault::at("request", Reason::InvalidSite, message));
        }
        let mut message = http::Request::builder()
            .method(Method::from_bytes(self.method.as_bytes()).map_err(|e| nonsense(e.into()))?)
            .uri(self.url.as_str())
            .header(header::CONNECTION, "close")
            .body(())
            .map_err(nonsense)?;
        if self.trusted {
            for (name, value) in self.own_headers(request) {
                let name = HeaderName::try_from(name).map_err(|e| nonsense(e.into()))?;
                let value = HeaderValue::from_bytes(value.as_bytes());
                let value = value.map_err(|e| nonsense(e.into()))?;
                message.headers_mut().insert(name, value);
            }
        }
        Ok(message)
    }

    /// The site's own headers and credentials, as far as they fit this request.
    fn own_headers(&self, request: &Request) -> impl Iterator<Item = (String, String)> {
        let dropped_body = request.body.is_some() && !self.with_body;
        let fits = move |name: &str| {
            let start = name.get(.."content-".len()).unwrap_or_default();
            !(dropped_body && start.eq_ignore_ascii_case("content-"))
        };
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_written().to_owned()));
        let credentials = request.auth.as_ref().map(|auth| {
            let value = match auth {
                Auth::Basic { username, password } => {
                    let pair = format!("{}:{}", username.as_written(), password.as_written());
                    format!("Basic {}", BASE64_STANDARD.encode(pair))
                }
                Auth::Bearer(token) => format!("Bearer {}", token.as_written()),
            };
            ("Authorization".to_owned(), value)
        });
        headers
            .filter(move |(name, _)| fits(name))
            .chain(credentials)
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
