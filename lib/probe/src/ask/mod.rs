//! One request of a check, as the HTTP library wants it; a [redirect], or a [challenge](auth) of digest
//! authentication, asks for the next. The [`trail`] of all of them keeps what the servers want to have again:
//! [cookies], and the answer to the challenge.

mod auth;
mod cookies;
pub(crate) mod filled;
mod location;
mod redirect;
mod session;
pub(crate) mod trail;

use contract::outcome::Reason;
use contract::site::Request;
use ureq::http::{self, HeaderName, HeaderValue, Method, Uri, header};
use ureq::{Agent, Body};
use url::{Position, Url};

use self::filled::FilledRequest;
use crate::blame;
use crate::fault::Fault;
use crate::tls::handshake::Handshake;
use crate::{observed, redact, transport};

/// How webmon names itself to the sites.
pub(crate) const USER_AGENT: &str = concat!("webmon/", env!("CARGO_PKG_VERSION"));

/// Methods that say how long their body is even when there is none.
const WITH_BODY: &[&str] = &["POST", "PUT", "PATCH"];

/// What every request says after its host, unless the site's own headers say it otherwise. The host and the last
/// three are what the library would say by itself, but at a higher price.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONNECTION, "close"),
    (header::ACCEPT_ENCODING, "gzip"),
    (header::USER_AGENT, USER_AGENT),
    (header::ACCEPT, "*/*"),
];

/// One request of a check: the first, or one that a response asks for.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Where to; without a fragment.
    pub(crate) url: Url,
    /// The method.
    pub(crate) method: Method,
    /// Whether the site's headers and credentials go along, and its ways of TLS.
    pub(crate) trusted: bool,
    /// Whether the site's body goes along.
    pub(crate) with_body: bool,
    /// The cookies, in place of those of the site's own headers.
    cookies: Option<Box<HeaderValue>>,
    /// The answer to a challenge, as the value of `Authorization`.
    answer: Option<Box<HeaderValue>>,
}

impl Step {
    /// The first request of a check.
    pub(crate) fn first(mut url: Url, request: &Request) -> Result<Self, Fault> {
        url.set_fragment(None);
        let method = Method::from_bytes(request.method.as_bytes());
        Ok(Self {
            url,
            method: method.map_err(|error| nonsense(&error.into()))?,
            trusted: true,
            with_body: request.body.is_some(),
            cookies: None,
            answer: None,
        })
    }

    /// Asks, and waits for the head of the response; `own` is how the site wants TLS to be spoken.
    pub(crate) fn ask(
        &self,
        agent: &Agent,
        filled: &FilledRequest<'_>,
        own: Option<&Handshake>,
    ) -> Result<http::Response<Body>, Fault> {
        let mut message = http::Request::new(());
        self.write_head(filled, &mut message)?;
        let url = redact::url(self.url.as_str());
        observed::begin_hop(&self.method, &url, longest_line(&message));
        // The site's own authorities and the client's certificate are for no other server.
        let own = own.filter(|_| self.trusted).cloned();
        let own_names = filled.names.as_ref().filter(|_| self.trusted).cloned();
        observed::with(|observed| {
            observed.handshake = own;
            observed.own_names = own_names;
        });
        if let Some(route) = &filled.route {
            route.begin_hop();
        }
        let body = filled.body.as_deref().filter(|_| self.with_body);
        let empty = WITH_BODY.contains(&self.method.as_str()).then_some("");
        let sent = match body.or(empty) {
            Some(body) => send_with_body(agent, message, body),
            None => agent.run(message),
        };
        match sent {
            Ok(mut response) => {
                transport::unhide(response.headers_mut());
                let status = response.status().as_u16();
                observed::with(|observed| observed.hop().map(|hop| hop.status = Some(status)));
                if let Some(route) = &filled.route {
                    route.refuse_own_answer(&response)?;
                }
                Ok(response)
            }
            Err(error) => {
                let fault = blame::explain(error);
                Err(match &filled.route {
                    Some(route) => route.blame(fault),
                    None => fault,
                })
            }
        }
    }

    /// Writes the request's head where it stands: a builder would move it at every step, and it is large.
    fn write_head(
        &self,
        filled: &FilledRequest<'_>,
        message: &mut http::Request<()>,
    ) -> Result<(), Fault> {
        message.method_mut().clone_from(&self.method);
        let uri = Uri::try_from(self.url.as_str());
        *message.uri_mut() = uri.map_err(|error| nonsense(&error.into()))?;
        let headers = message.headers_mut();
        let host = HeaderValue::from_str(&self.url[Position::BeforeHost..Position::AfterPort]);
        headers.insert(header::HOST, host.map_err(|error| nonsense(&error.into()))?);
        for (name, value) in ALWAYS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // Through a tunnel it would go to the site.
        if self.url.scheme() == "http"
            && let Some(login) = filled
                .route
                .as_ref()
                .and_then(|route| route.authorization())
        {
            headers.insert(header::PROXY_AUTHORIZATION, login.clone());
        }
        if self.trusted {
            for (name, value) in self.own_headers(filled) {
                headers.insert(name.clone(), value.clone());
            }
        }
        if let Some(cookies) = &self.cookies {
            headers.insert(header::COOKIE, HeaderValue::clone(cookies));
        }
        if let Some(answer) = &self.answer {
            headers.insert(header::AUTHORIZATION, HeaderValue::clone(answer));
        }
        Ok(())
    }

    /// The site's own headers and credentials, as far as they fit this request.
    fn own_headers<'f>(
        &self,
        filled: &'f FilledRequest<'_>,
    ) -> impl Iterator<Item = &'f (HeaderName, HeaderValue)> {
        let dropped_body = filled.body.is_some() && !self.with_body;
        let headers = filled.headers.iter();
        headers.filter(move |(name, _)| !(dropped_body && name.as_str().starts_with("content-")))
    }
}

/// What was checked before and still cannot be sent.
fn nonsense(error: &http::Error) -> Fault {
    let message = format!("cannot be sent: {error}");
    Fault::at("request", Reason::InvalidSite, message)
}

/// Sends a request with a body. It is not inlined: few requests have one, and each form of the library's
/// function takes its share of the stack.
#[inline(never)]
fn send_with_body(
    agent: &Agent,
    message: http::Request<()>,
    body: &str,
) -> Result<http::Response<Body>, ureq::Error> {
    agent.run(message.map(|()| body))
}

/// The longest line of a request's head, in bytes.
fn longest_line(message: &http::Request<()>) -> usize {
    let target = message
        .uri()
        .path_and_query()
        .map_or(1, |p| p.as_str().len());
    // method, blanks and version
    let first = message.method().as_str().len() + target + " / HTTP/1.1\r\n".len();
    let headers = message.headers().iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .fold(first, usize::max)
}
