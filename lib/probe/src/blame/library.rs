//! The HTTP library's errors as reasons.

use std::io;

use contract::outcome::Reason;

use super::io::explain_io;
use super::kinds::is_cut;
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
        ureq::Error::Decompress(encoding, error) => explain_encoding(encoding, &error),
        other => Fault::here(Reason::Internal, other.to_string()),
    }
}

/// A body that cannot be decoded, or a connection that broke under the decoder.
fn explain_encoding(encoding: &str, error: &io::Error) -> Fault {
    // Only the kernel's errors have a number: what broke is the connection.
    if error.raw_os_error().is_some() {
        return explain_io(error);
    }
    // The decoder too reports an unexpected end, of a body that the server sent whole.
    if is_cut(error.kind())
        && observed::with(|observed| observed.connection_end) != ConnectionEnd::Open
    {
        return explain_io(error);
    }
    Fault::here(Reason::Encoding, format!("the body is no valid {encoding}"))
}
