//! The way of a check by a proxy, and whose fault a failure on it is.

use std::fmt;
use std::sync::Arc;

use contract::outcome::{Outcome, Reason};
use ureq::http::{HeaderValue, Response, header};
use url::{Host, Url};

use super::refusal;
use crate::fault::{Fault, Suspect};
use crate::observed::{self, Phase};
use crate::options::Origin;

/// A proxy that a check goes by; it prints no login.
pub(crate) struct Route {
    /// The name or the address of its host.
    host: String,
    /// Its port.
    port: u16,
    /// The proxy, for people.
    shown: String,
    /// The login for it: the value of `Proxy-Authorization`.
    authorization: Option<HeaderValue>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.shown).finish()
    }
}

impl Route {
    /// The way by the proxy at `url`.
    pub(crate) fn new(url: &Url, authorization: Option<HeaderValue>) -> Self {
        let host = match url.host() {
            // without the brackets
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => url.host_str().unwrap_or_default().to_owned(),
        };
        Self {
            host,
            port: url.port_or_known_default().unwrap_or(80),
            shown: Origin::of(url).to_string(),
            authorization,
        }
    }

    /// The proxy's host and port, which are dialled.
    pub(crate) fn target(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The login for the proxy.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The connection that has just begun goes by this proxy.
    pub(crate) fn begin_hop(self: &Arc<Self>) {
        observed::with(|observed| {
            observed.route = Some(Arc::clone(self));
            if let Some(hop) = observed.hop() {
                hop.proxy = Some(self.shown.clone());
            }
        });
    }

    /// A fault of the proxy.
    pub(super) fn fault(&self, reason: Reason, message: &str) -> Fault {
        Fault::at(
            Phase::Proxy.as_str(),
            reason,
            format!("{} {message}", self.shown),
        )
    }

    /// The fault of a request, now that it is known how far it came: up to the proxy it is none of the site.
    pub(crate) fn blame(&self, fault: Fault) -> Fault {
        match observed::phase() {
            Phase::Dns | Phase::Connect => {
                let what = format!("cannot be reached: {}: {}", fault.place, fault.message);
                let reason = match fault.reason.outcome() {
                    Outcome::Inconclusive => fault.reason,
                    _ => Reason::ProxyUnreachable,
                };
                self.fault(reason, &what)
            }
            Phase::Wait | Phase::Receive if is_forwarded() => self.blame_forwarded(fault),
            _ => fault,
        }
    }

    /// The fault of a request that the proxy was to pass on, and to answer itself where it cannot.
    fn blame_forwarded(&self, fault: Fault) -> Fault {
        if observed::with(|observed| observed.status()).is_some() {
            return fault;
        }
        match (fault.reason, observed::phase()) {
            (Reason::Reset, Phase::Wait) => self.fault(
                Reason::ProxyUnreachable,
                "closed the connection without an answer",
            ),
            (Reason::ResponseTimeout | Reason::Protocol, _) => fault.suspecting(Suspect::Proxy),
            _ => fault,
        }
    }

    /// Refuses an answer that only the proxy itself gives (RFC 9110, 15.5.8).
    pub(crate) fn refuse_own_answer<B>(&self, response: &Response<B>) -> Result<(), Fault> {
        if response.status() != 407 || !is_forwarded() {
            return Ok(());
        }
        let challenges = response.headers().get_all(header::PROXY_AUTHENTICATE);
        let challenges: Vec<_> = challenges.iter().map(HeaderValue::as_bytes).collect();
        Err(refusal::login(self, &challenges))
    }
}

/// Whether the proxy reads the request, which is what it does where there is no tunnel.
fn is_forwarded() -> bool {
    observed::with(|observed| observed.hop().is_some_and(|hop| hop.proxy_us.is_none()))
}
