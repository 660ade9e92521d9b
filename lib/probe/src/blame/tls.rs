//! TLS's errors as reasons, in words that name the remedy where there is one.

use contract::outcome::Reason;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};

use crate::fault::Fault;
use crate::observed::{self, Phase};
use crate::redact::printable;
use crate::tls::{CertificateSeen, certificate, x509};

/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 3;
/// A name in a certificate is shown so long, in characters.
const NAME_CHARS: usize = 64;

/// An error of rustls as a fault.
pub(crate) fn explain_tls(error: &Error) -> Fault {
    // what webmon's own verifier lacked
    if let Error::Other(OtherError(inner)) = error
        && let Some(fault) = inner.downcast_ref::<Fault>()
    {
        return fault.clone();
    }
    let reason = match (error, observed::phase()) {
        (Error::InvalidCertificate(_), _) => Reason::TlsCertificate,
        // In TLS 1.3 a client is done before the server has seen its certificate.
        (Error::AlertReceived(alert), _) if is_about_client(*alert) => Reason::TlsHandshake,
        (_, Phase::Receive) => Reason::Protocol,
        _ => Reason::TlsHandshake,
    };
    let message = match error {
        Error::InvalidCertificate(error) => explain_certificate(error),
        Error::AlertReceived(alert) => explain_alert(*alert),
        Error::PeerIncompatible(why) => explain_incompatible(why),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "what the server sends is not TLS".to_owned(),
        other => format!("the server breaks the rules of TLS ({other})"),
    };
    Fault::here(reason, message)
}

/// Why a certificate was refused.
fn explain_certificate(error: &CertificateError) -> String {
    let leaf = observed::with(|observed| observed.hop().and_then(|hop| hop.leaf.clone()));
    let seen = leaf.as_deref().and_then(certificate::read);
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            let (end, day) = day(*not_after);
            let own = seen.is_none_or(|seen| seen.not_after_s == end);
            format!("{} ended on {day}", whose(own))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let (start, day) = day(*not_before);
            let own = seen.is_none_or(|seen| seen.not_before_s == start);
            format!("{} begins on {day} only", whose(own))
        }
        CertificateError::Expired => "the certificate ends before it begins".to_owned(),
        CertificateError::NotValidForNameContext { expected, .. } => {
            explain_name(seen.as_ref(), expected)
        }
        CertificateError::UnknownIssuer => explain_issuer(seen.as_ref()),
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "the certificate is an authority's own; to trust it, put it into request.tls.ca"
                .to_owned()
        }
        CertificateError::InvalidPurposeContext { .. } | CertificateError::InvalidPurpose => {
            "the certificate is not meant for servers".to_owned()
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => "a signature does not fit the certificate".to_owned(),
        other => format!("the certificate cannot be judged ({other})"),
    }
}

/// The server's certificate, or one of those between it and its authority.
fn whose(own: bool) -> &'static str {
    if own {
        "the certificate"
    } else {
        "a certificate between the server's and its authority"
    }
}

/// A time in seconds since the Unix epoch, and its day.
fn day(time: UnixTime) -> (i64, String) {
    let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    (second, x509::day(second))
}

/// The certificate is for others.
fn explain_name(seen: Option<&CertificateSeen>, expected: &ServerName<'_>) -> String {
    let expected = printable(&*expected.to_str(), NAME_CHARS);
    let names = seen.map(|seen| seen.names.as_slice()).unwrap_or_default();
    if names.is_empty() {
        return format!("the certificate names no host (as subjectAltName), so not {expected}");
    }
    let shown = names.iter().take(MAX_NAMES);
    let shown: Vec<_> = shown.map(|name| printable(name, NAME_CHARS)).collect();
    let more = if names.len() > MAX_NAMES { ", …" } else { "" };
    let shown = shown.join(", ");
    format!("the certificate is for {shown}{more}, not {expected}")
}

/// No authority that is trusted vouches for the certificate.
fn explain_issuer(seen: Option<&CertificateSeen>) -> String {
    let Some(CertificateSeen {
        issuer, subject, ..
    }) = seen
    else {
        return "the certificate's issuer is not known".to_owned();
    };
    let shown = printable(issuer, NAME_CHARS);
    if issuer == subject {
        return format!(
            "the certificate ({shown}) vouches for itself; to trust it, put it into request.tls.ca"
        );
    }
    format!(
        "the certificate's issuer ({shown}) is not known; the server must send the certificates \
         that lead to a known one, or the issuer's must be in request.tls.ca"
    )
}

/// The server gave up with an alert.
fn explain_alert(alert: AlertDescription) -> String {
    let hint = match alert {
        AlertDescription::ProtocolVersion => "; it speaks neither TLS 1.2 nor TLS 1.3",
        AlertDescription::UnrecognisedName => "; it does not know the name it was asked for",
        alert if is_about_client(alert) => {
            "; it wants another client certificate (request.tls.certificate)"
        }
        _ => "",
    };
    format!(
        "the server gave up with the alert {}{hint}",
        alert_name(alert)
    )
}

/// Whether an alert is about the client's certificate.
fn is_about_client(alert: AlertDescription) -> bool {
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
fn alert_name(alert: AlertDescription) -> String {
    if let AlertDescription::Unknown(number) = alert {
        return number.to_string();
    }
    let mut name = String::new();
    let mut inside = false;
    for letter in format!("{alert:?}").chars() {
        if inside && letter.is_ascii_uppercase() {
            name.push('_');
        }
        inside = letter.is_ascii_lowercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The server speaks another TLS.
fn explain_incompatible(why: &PeerIncompatible) -> String {
    use PeerIncompatible::{ServerDoesNotSupportTls12Or13, ServerTlsVersionIsDisabledByOurConfig};
    match why {
        ServerDoesNotSupportTls12Or13 | ServerTlsVersionIsDisabledByOurConfig => {
            "the server speaks neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        other => format!("the server has no way of TLS in common with this client ({other:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_the_standard_names_them() {
        for (alert, name) in [
            (AlertDescription::HandshakeFailure, "handshake_failure"),
            (AlertDescription::UnknownCA, "unknown_ca"),
            (
                AlertDescription::CertificateRequired,
                "certificate_required",
            ),
        ] {
            assert_eq!(alert_name(alert), name);
        }
    }

    #[test]
    fn an_alert_about_the_client_is_the_handshakes_whenever_it_comes() {
        for (phase, alert, reason) in [
            (
                Phase::Wait,
                AlertDescription::CertificateRequired,
                Reason::TlsHandshake,
            ),
            (
                Phase::Receive,
                AlertDescription::CertificateRequired,
                Reason::TlsHandshake,
            ),
            (
                Phase::Wait,
                AlertDescription::InternalError,
                Reason::TlsHandshake,
            ),
            (
                Phase::Receive,
                AlertDescription::InternalError,
                Reason::Protocol,
            ),
        ] {
            observed::enter(phase);
            let found = explain_tls(&Error::AlertReceived(alert)).reason;
            assert_eq!(found, reason, "{phase:?} {alert:?}");
        }
    }
}
