//! All errors of rustls, in words.

use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ContentType, HandshakeType, InconsistentKeys,
    InvalidMessage, PeerIncompatible, PeerMisbehaved,
};
use ureq::http::Method;

use super::*;
use crate::tls::TlsSeen;

/// Identifiers that are of no algorithm.
const NO_ID: &[u8] = &[0xff, 0, 1];

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
    let alerts = (0..=u8::MAX).map(|number| Error::AlertReceived(number.into()));
    let errors = [plain(), certificates(), messages(), peers()];
    for error in errors.into_iter().flatten().chain(alerts) {
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

/// Errors that say all by themselves.
fn plain() -> Vec<Error> {
    vec![
        Error::NoCertificatesPresented,
        Error::UnsupportedNameType,
        Error::DecryptError,
        Error::EncryptError,
        Error::General("something else".to_owned()),
        Error::FailedToGetCurrentTime,
        Error::FailedToGetRandomBytes,
        Error::HandshakeNotComplete,
        Error::PeerSentOversizedRecord,
        Error::NoApplicationProtocol,
        Error::BadMaxFragmentSize,
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
        Error::Other(OtherError(Arc::new(webpki::Error::BadDer))),
        Error::InappropriateMessage {
            expect_types: vec![ContentType::Handshake],
            got_type: ContentType::ApplicationData,
        },
        Error::InappropriateHandshakeMessage {
            expect_types: vec![HandshakeType::ServerHello],
            got_type: HandshakeType::CertificateRequest,
        },
        Error::InappropriateHandshakeMessage {
            expect_types: vec![HandshakeType::ServerHello],
            got_type: HandshakeType::Unknown(77),
        },
    ]
}

/// Errors about certificates.
fn certificates() -> Vec<Error> {
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_600_000_000));
    let unsupported = |id: &[u8]| CertificateError::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: id.to_vec(),
        supported_algorithms: vec![],
    };
    let unfit = |id: &[u8]| CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: vec![],
        public_key_algorithm_id: id.to_vec(),
    };
    let own = [
        CertificateError::BadEncoding,
        CertificateError::Expired,
        CertificateError::ExpiredContext {
            time,
            not_after: time,
        },
        CertificateError::NotValidYet,
        CertificateError::NotValidYetContext {
            time,
            not_before: time,
        },
        CertificateError::Revoked,
        CertificateError::UnhandledCriticalExtension,
        CertificateError::UnknownIssuer,
        CertificateError::UnknownRevocationStatus,
        CertificateError::ExpiredRevocationList,
        CertificateError::ExpiredRevocationListContext {
            time,
            next_update: time,
        },
        CertificateError::BadSignature,
        unsupported(&[6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 5, 5, 0]),
        unsupported(NO_ID),
        unfit(&[6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 5, 43, 129, 4, 0, 10]),
        unfit(NO_ID),
        CertificateError::NotValidForName,
        CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["DnsName(\"b.example\")".to_owned()],
        },
        CertificateError::InvalidPurpose,
        CertificateError::InvalidOcspResponse,
        CertificateError::ApplicationVerificationFailure,
    ];
    let webpki = webpki_errors().into_iter();
    let webpki = webpki.map(|error| CertificateError::Other(OtherError(Arc::new(error))));
    own.into_iter().chain(webpki).map(Error::from).collect()
}

/// Errors of webpki that rustls has no name for.
fn webpki_errors() -> Vec<webpki::Error> {
    use webpki::Error as Webpki;
    vec![
        Webpki::CaUsedAsEndEntity,
        Webpki::CertDistrusted,
        Webpki::EmptyEkuExtension,
        Webpki::EndEntityUsedAsCa,
        Webpki::ExtensionValueInvalid,
        Webpki::InvalidCertValidity,
        Webpki::InvalidCrlNumber,
        Webpki::InvalidNetworkMaskConstraint,
        Webpki::InvalidSerialNumber,
        Webpki::MalformedDnsIdentifier,
        Webpki::MalformedExtensions,
        Webpki::MalformedNameConstraint,
        Webpki::MaximumNameConstraintComparisonsExceeded,
        Webpki::MaximumPathBuildCallsExceeded,
        Webpki::MaximumPathDepthExceeded,
        Webpki::MaximumSignatureChecksExceeded,
        Webpki::NameConstraintViolation,
        Webpki::PathLenConstraintViolated,
        Webpki::SignatureAlgorithmMismatch,
        Webpki::UnsupportedCertVersion,
        Webpki::UnsupportedCriticalExtension,
        Webpki::UnsupportedNameType,
    ]
}

/// Messages that cannot be read.
fn messages() -> Vec<Error> {
    use InvalidMessage as Message;
    let messages = [
        Message::CertificatePayloadTooLarge,
        Message::HandshakePayloadTooLarge,
        Message::InvalidCcs,
        Message::InvalidContentType,
        Message::InvalidCertificateStatusType,
        Message::InvalidCertRequest,
        Message::InvalidDhParams,
        Message::InvalidEmptyPayload,
        Message::InvalidKeyUpdate,
        Message::InvalidServerName,
        Message::MessageTooLarge,
        Message::MessageTooShort,
        Message::MissingData("ServerHello"),
        Message::MissingKeyExchange,
        Message::NoSignatureSchemes,
        Message::TrailingData("ServerHello"),
        Message::UnexpectedMessage("ServerHello"),
        Message::UnknownProtocolVersion,
        Message::UnsupportedCompression,
        Message::UnsupportedCurveType,
        Message::EmptyTicketValue,
        Message::IllegalEmptyList("ProtocolNames"),
        Message::IllegalEmptyValue,
        Message::DuplicateExtension(51),
        Message::PreSharedKeyIsNotFinalExtension,
        Message::UnknownHelloRetryRequestExtension,
        Message::UnknownCertificateExtension,
    ];
    messages.into_iter().map(Error::from).collect()
}

/// What servers do that they should not, or that webmon does not.
fn peers() -> Vec<Error> {
    use PeerIncompatible as Incompatible;
    use PeerMisbehaved as Misbehaved;
    let incompatible = [
        Incompatible::EcPointsExtensionRequired,
        Incompatible::ExtendedMasterSecretExtensionRequired,
        Incompatible::IncorrectCertificateTypeExtension,
        Incompatible::KeyShareExtensionRequired,
        Incompatible::NoCertificateRequestSignatureSchemesInCommon,
        Incompatible::NoCipherSuitesInCommon,
        Incompatible::NoKxGroupsInCommon,
        Incompatible::NoSignatureSchemesInCommon,
        Incompatible::ServerDoesNotSupportTls12Or13,
        Incompatible::ServerSentHelloRetryRequestWithUnknownExtension,
        Incompatible::ServerTlsVersionIsDisabledByOurConfig,
        Incompatible::UnsolicitedCertificateTypeExtension,
        Incompatible::ServerRejectedEncryptedClientHello(Some(vec![])),
    ];
    let misbehaved = [
        Misbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported,
        Misbehaved::IllegalHelloRetryRequestWithUnofferedNamedGroup,
        Misbehaved::IllegalMiddleboxChangeCipherSpec,
        Misbehaved::InvalidKeyShare,
        Misbehaved::SelectedTls12UsingTls13VersionExtension,
        Misbehaved::SelectedUnofferedApplicationProtocol,
        Misbehaved::SelectedUnofferedCipherSuite,
        Misbehaved::SelectedUnofferedKxGroup,
        Misbehaved::SignedHandshakeWithUnadvertisedSigScheme,
        Misbehaved::TooManyRenegotiationRequests,
        Misbehaved::TooManyWarningAlertsReceived,
        Misbehaved::UnsolicitedEncryptedExtension,
        Misbehaved::WrongGroupForKeyShare,
    ];
    let incompatible = incompatible.into_iter().map(Error::from);
    incompatible
        .chain(misbehaved.into_iter().map(Error::from))
        .collect()
}
