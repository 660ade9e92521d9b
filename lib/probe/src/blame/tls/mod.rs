//! TLS's errors as reasons, in words that name the remedy where there is one.
//!
//! rustls shows most of its errors as Rust prints its own data. None of that is for people, so each error gets words
//! here: [certificates](certificate), [alerts](alert) of the server, and what the server [sends](peer).

mod alert;
mod algorithm;
#[cfg(test)]
mod all_errors;
mod certificate;
mod host;
mod peer;
mod words;

use contract::outcome::Reason;
use rustls::{CertificateError, Error, OtherError};

use self::words::words;
use crate::fault::Fault;
use crate::observed::{self, Phase};
use crate::redact::printable;

/// What webmon speaks, where a server may want something else.
const SPOKEN: &str = "webmon speaks TLS 1.2 and 1.3 with ECDHE (X25519, P-256, P-384) and AES-GCM or ChaCha20-Poly1305";
/// A text of the library is shown so long, in characters.
const TEXT_CHARS: usize = 128;

/// An error of rustls as a fault.
pub(crate) fn explain_tls(error: &Error) -> Fault {
    if let Some(fault) = own_fault(error) {
        return fault.clone();
    }
    let message = match error {
        Error::InvalidCertificate(error) => certificate::explain(error),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::AlertReceived(alert) => alert::explain(*alert),
        Error::General(text) => format!("TLS failed ({})", printable(text, TEXT_CHARS)),
        error => {
            let Some(message) = peer::explain(error) else {
                let words = words(&format!("{error:?}"));
                return Fault::here(Reason::Internal, format!("TLS failed here ({words})"));
            };
            message
        }
    };
    Fault::here(reason(error), message)
}

/// What the server sent in place of TLS; `first` are its first bytes.
pub(crate) fn explain_no_tls(first: &[u8]) -> Fault {
    Fault::here(Reason::TlsHandshake, peer::explain_no_tls(first))
}

/// What webmon's own verifier says.
fn own_fault(error: &Error) -> Option<&Fault> {
    match error {
        Error::Other(OtherError(inner))
        | Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            inner.downcast_ref()
        }
        _ => None,
    }
}

/// The reason for an error of the server.
fn reason(error: &Error) -> Reason {
    match (error, observed::phase()) {
        (Error::InvalidCertificate(_) | Error::NoCertificatesPresented, _) => {
            Reason::TlsCertificate
        }
        // In TLS 1.3 a client is done before the server has seen its certificate.
        (Error::AlertReceived(alert), _) if alert::is_about_client(*alert) => Reason::TlsHandshake,
        (_, Phase::Receive) => Reason::Protocol,
        _ => Reason::TlsHandshake,
    }
}

#[cfg(test)]
mod tests;
