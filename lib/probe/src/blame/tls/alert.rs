//! The alerts by which servers give up (RFC 8446, 6.2).

use rustls::AlertDescription;

use super::SPOKEN;
use super::words::spelled;
use crate::observed::{self, Phase};

/// The server gave up with an alert.
pub(super) fn explain(alert: AlertDescription) -> String {
    format!(
        "the server gave up with the alert {}{}",
        name(alert),
        hint(alert)
    )
}

/// What may have led to it, and the remedy.
fn hint(alert: AlertDescription) -> String {
    use AlertDescription::{
        HandshakeFailure, InsufficientSecurity, InternalError, NoApplicationProtocol,
        NoRenegotiation, ProtocolVersion, UnrecognisedName,
    };
    let (phase, certificate_seen, tls_1_2) = seen();
    let hint = match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it wants a client certificate (request.tls.certificate)"
        }
        alert if is_about_client(alert) => {
            "it wants another client certificate (request.tls.certificate)"
        }
        HandshakeFailure | NoRenegotiation if phase != Phase::Tls && tls_1_2 => {
            "it may have asked for a new handshake, as for a client certificate; webmon does not renegotiate"
        }
        HandshakeFailure if certificate_seen => {
            "it may want a client certificate (request.tls.certificate)"
        }
        HandshakeFailure | InsufficientSecurity => {
            return format!(
                "; {SPOKEN}; the server may need RSA key exchange, DHE, CBC or another kind of certificate"
            );
        }
        ProtocolVersion => "it speaks neither TLS 1.2 nor TLS 1.3",
        UnrecognisedName => "it does not know the name it was asked for (request.tls.server_name)",
        InternalError if phase == Phase::Tls && !certificate_seen => {
            "it may have no certificate for the name it was asked for (request.tls.server_name)"
        }
        NoApplicationProtocol => "webmon speaks HTTP/1.1, the server another HTTP only",
        _ => return String::new(),
    };
    format!("; {hint}")
}

/// The phase, whether the server had shown a certificate, and whether it speaks TLS 1.2.
fn seen() -> (Phase, bool, bool) {
    let phase = observed::phase();
    observed::with(|observed| {
        let hop = observed.hop();
        let certificate = hop.as_ref().is_some_and(|hop| hop.leaf.is_some());
        let version = hop.and_then(|hop| hop.tls.as_ref()?.version);
        (phase, certificate, version == Some("TLS 1.2"))
    })
}

/// Whether an alert is about the client's certificate.
pub(super) fn is_about_client(alert: AlertDescription) -> bool {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, NoCertificate, UnknownCA, UnsupportedCertificate,
    };
    matches!(
        alert,
        AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | NoCertificate
            | UnknownCA
            | UnsupportedCertificate
    )
}

/// An alert's name as the standards write it, `handshake_failure`; its number if it has none.
pub(super) fn name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::Unknown(number) => number.to_string(),
        // RFC 6066, 3 spells it otherwise than rustls
        AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
        alert => spelled(&format!("{alert:?}"), '_'),
    }
}
