//! All errors of rustls, in words.

use rustls::{AlertDescription, InconsistentKeys};
use ureq::http::Method;

use super::*;
use crate::tls::TlsSeen;

#[test]
fn alerts_are_named_as_the_standard_names_them() {
    for (alert, name) in [
        (AlertDescription::HandshakeFailure, "handshake_failure"),
        (AlertDescription::UnknownCA, "unknown_ca"),
        (AlertDescription::UnknownPSKIdentity, "unknown_psk_identity"),
        (AlertDescription::UnrecognisedName, "unrecognized_name"),
        (
            AlertDescription::CertificateRequired,
            "certificate_required",
        ),
        (AlertDescription::Unknown(200), "200"),
    ] {
        assert_eq!(alert::name(alert), name);
    }
}

#[test]
fn an_alert_about_the_client_is_the_handshakes_whenever_it_comes() {
    use AlertDescription::{CertificateRequired, InternalError};
    for (phase, alert, reason) in [
        (Phase::Wait, CertificateRequired, Reason::TlsHandshake),
        (Phase::Receive, CertificateRequired, Reason::TlsHandshake),
        (Phase::Wait, InternalError, Reason::TlsHandshake),
        (Phase::Receive, InternalError, Reason::Protocol),
    ] {
        observed::enter(phase);
        let found = explain_tls(&Error::AlertReceived(alert)).reason;
        assert_eq!(found, reason, "{phase:?} {alert:?}");
    }
}

#[test]
fn an_alert_is_explained_by_what_came_before_it() {
    use AlertDescription::{HandshakeFailure, InternalError, NoRenegotiation};
    const SUITES: &str = "; webmon speaks TLS 1.2 and 1.3 with ECDHE";
    const CLIENT: &str = "; it may want a client certificate (request.tls.certificate)";
    const AGAIN: &str = "; it may have asked for a new handshake, as for a client certificate;";
    let (tls_1_2, tls_1_3) = (Some("TLS 1.2"), Some("TLS 1.3"));
    for (phase, certificate, version, alert, hint) in [
        (Phase::Tls, false, None, HandshakeFailure, SUITES),
        (Phase::Tls, true, None, HandshakeFailure, CLIENT),
        (Phase::Wait, true, tls_1_2, HandshakeFailure, AGAIN),
        (Phase::Receive, true, tls_1_2, NoRenegotiation, AGAIN),
        (Phase::Wait, true, tls_1_3, HandshakeFailure, CLIENT),
        (
            Phase::Tls,
            false,
            None,
            InternalError,
            "; it may have no certificate",
        ),
        (Phase::Wait, true, tls_1_3, InternalError, ""),
    ] {
        observed::begin_hop(&Method::GET, "https://a.example/", 0);
        observed::enter(phase);
        observed::with(|observed| {
            let hop = observed.hop().unwrap();
            hop.leaf = certificate.then(Vec::new);
            hop.tls = Some(TlsSeen {
                version,
                certificate: None,
            });
        });
        let said = explain_tls(&Error::AlertReceived(alert)).message;
        let start = format!(
            "the server gave up with the alert {}{hint}",
            alert::name(alert)
        );
        assert!(said.starts_with(&start), "{said}, not {start}");
        assert!(!hint.is_empty() || said == start, "{said}");
    }
}

#[test]
fn what_fails_on_this_side_is_not_the_servers_fault() {
    for error in [
        Error::FailedToGetRandomBytes,
        Error::HandshakeNotComplete,
        Error::InconsistentKeys(InconsistentKeys::Unknown),
    ] {
        assert_eq!(explain_tls(&error).reason, Reason::Internal, "{error:?}");
    }
}

#[test]
fn no_error_is_shown_as_rust_prints_its_data() {
    for error in all_errors::all() {
        let said = explain_tls(&error).message;
        assert!(!said.is_empty(), "{error:?}");
        for sign in ["::", "{", "[", "(\"", "..", "Context", "()"] {
            assert!(!said.contains(sign), "{sign} in {said}");
        }
        let camel = said
            .split(|letter: char| !letter.is_alphanumeric())
            .find(|word| is_camel(word) && !KNOWN.contains(word));
        assert_eq!(camel, None, "{said}");
        assert!(said.chars().count() < 280, "{said}");
    }
}

/// Names that are written so.
const KNOWN: &[&str] = &["ChaCha20", "Poly1305", "subjectAltName"];

/// Whether a capital stands behind a small letter.
fn is_camel(word: &&str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let pairs = letters.windows(2);
    pairs
        .into_iter()
        .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
}
