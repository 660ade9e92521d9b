//! Errors of rustls, of each kind.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    CertificateError, ContentType, Error, HandshakeType, InconsistentKeys, InvalidMessage,
    OtherError, PeerIncompatible, PeerMisbehaved,
};

/// Identifiers that are of no algorithm.
const NO_ID: &[u8] = &[0xff, 0, 1];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Error> {
    let alerts = (0..=u8::MAX).map(|number| Error::AlertReceived(number.into()));
    let errors = [plain(), certificates(), messages(), peers()];
    errors.into_iter().flatten().chain(alerts)
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
    let time = UnixTime::since_unix_epoch(Duration::from_secs(1_600_000_000));
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
