//! The errors of a connection that was made, as reasons.

use std::io::{self, ErrorKind};

use contract::outcome::Reason;

use super::kinds::{is_cut, is_unreachable, shortage};
use super::timeout::timeout;
use super::tls::explain_tls;
use crate::fault::{Fault, Suspect};
use crate::observed::{self, Phase};

/// An error of a connection that was made, or of rustls inside one.
pub(crate) fn explain_io(error: &io::Error) -> Fault {
    if let Some(error) = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
    {
        return explain_tls(error);
    }
    let phase = observed::phase();
    if let Some(reason) = shortage(error) {
        return Fault::here(reason, format!("this machine says: {error}"));
    }
    let (reason, message) = match (phase, error.kind()) {
        (_, ErrorKind::TimedOut | ErrorKind::WouldBlock) => return timeout(),
        (Phase::Tls, kind) if is_cut(kind) => (
            Reason::TlsHandshake,
            "the server closed the connection".to_owned(),
        ),
        (Phase::Tls, _) => (Reason::TlsHandshake, error.to_string()),
        (_, kind) if is_cut(kind) => (Reason::Reset, cut_message(kind).to_owned()),
        (_, kind) if is_unreachable(kind) => (Reason::Reset, error.to_string()),
        _ => (Reason::Protocol, error.to_string()),
    };
    let fault = Fault::here(reason, message);
    if is_unreachable(error.kind()) {
        // The connection worked, then the way broke off: anywhere between here and there.
        return fault.suspecting(Suspect::Network);
    }
    fault
}

/// How it ended, for people.
fn cut_message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnexpectedEof => {
            "the server closed the connection before the response was complete"
        }
        _ => "the server reset the connection before the response was complete",
    }
}
