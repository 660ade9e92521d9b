//! The end of a check's time as a reason.

use contract::outcome::Reason;

use crate::fault::Fault;
use crate::observed::{self, Phase};

/// The time is up: the reason follows from the phase.
pub(crate) fn timeout() -> Fault {
    let (reason, message) = match observed::phase() {
        Phase::Dns => (Reason::DnsTimeout, "no answer"),
        Phase::Connect => (Reason::ConnectTimeout, "no answer"),
        Phase::Proxy => (Reason::ConnectTimeout, "the proxy did not answer CONNECT"),
        Phase::Tls => (Reason::TlsTimeout, "the handshake did not end"),
        Phase::Receive if observed::with(|observed| observed.status().is_some()) => {
            (Reason::BodyTimeout, "the body did not end")
        }
        Phase::Wait | Phase::Receive => {
            (Reason::ResponseTimeout, "the response's head did not come")
        }
    };
    Fault::here(
        reason,
        format!("{message} within {} ms", observed::limit_ms()),
    )
}
