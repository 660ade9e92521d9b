//! The HTTP library's errors as reasons.

use std::io::ErrorKind;

use contract::outcome::Reason;

use super::io::explain_io;
use super::timeout::timeout;
use super::tls::explain_tls;
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd};

/// An error of the library as a fault.
pub(crate) fn explain(error: ureq::Error) -> Fault {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::here(Reason::Internal, other.to_string()),
        },
        ureq::Error::Timeout(_) => timeout(),
        ureq::Error::Io(error) => explain_io(&error),
        ureq::Error::Rustls(error) => explain_tls(&error),
        ureq::Error::Tls(message) => Fault::here(Reason::TlsHandshake, message),
        ureq::Error::Protocol(error) => Fault::here(Reason::Protocol, error.to_string()),
        other => Fault::here(Reason::Internal, other.to_string()),
    }
}

/// A body that is not what its coding says. `cut` says that it ended too early, and that may be the connection's fault.
pub(crate) fn explain_encoding(coding: &str, cut: bool) -> Fault {
    // The server may as well have sent the whole of a body that ends too early.
    if cut && observed::with(|observed| observed.connection_end) != ConnectionEnd::Open {
        return explain_io(&ErrorKind::UnexpectedEof.into());
    }
    Fault::here(Reason::Encoding, format!("the body is no valid {coding}"))
}
