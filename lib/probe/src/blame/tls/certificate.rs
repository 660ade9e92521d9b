//! Why a server's certificate was refused.

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, OtherError};

use super::words::words;
use super::{algorithm, host};
use crate::observed;
use crate::redact::printable;
use crate::tls::lifetime::ChainEnd;
use crate::tls::{CertificateSeen, certificate, x509};

/// A name in a certificate is shown so long, in characters.
const NAME_CHARS: usize = 64;
/// The signatures that webmon accepts.
const SIGNATURES: &str =
    "webmon accepts RSA, RSA-PSS and ECDSA with SHA-256, SHA-384 or SHA-512, Ed25519 and ML-DSA";

/// Why a certificate was refused.
pub(super) fn explain(error: &CertificateError) -> String {
    let (leaf, end) = observed::with(|observed| {
        let hop = observed.hop();
        hop.map(|hop| (hop.leaf.clone(), hop.chain_end.clone()))
    })
    .unwrap_or_default();
    let seen = leaf.as_deref().and_then(certificate::read);
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            let (at_s, day) = day(*not_after);
            let own = seen.is_none_or(|seen| seen.not_after_s == at_s);
            format!("{} ended on {day}", whose(own, end.as_ref()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let (start, day) = day(*not_before);
            let own = seen.is_none_or(|seen| seen.not_before_s == start);
            format!("{} begins on {day} only", whose(own, None))
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            host::explain(seen.as_ref(), expected)
        }
        CertificateError::UnknownIssuer => explain_issuer(seen.as_ref()),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => {
            let signature = algorithm::signature(signature_algorithm_id);
            format!("a certificate is signed by {signature}; {SIGNATURES}")
        }
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            public_key_algorithm_id,
            ..
        } => {
            let key = algorithm::public_key(public_key_algorithm_id);
            format!("a signature is by a key ({key}) that it does not fit; {SIGNATURES}")
        }
        CertificateError::Other(OtherError(other)) => match other.downcast_ref() {
            Some(error) => explain_webpki(error),
            None => cannot_be_judged(&words(&format!("{other:?}"))),
        },
        other => explain_simple(other),
    }
}

/// Why a certificate was refused, where the error says all.
fn explain_simple(error: &CertificateError) -> String {
    let message = match error {
        CertificateError::BadEncoding => "the certificate is malformed",
        CertificateError::Expired => "the certificate ended",
        CertificateError::NotValidYet => "the certificate is not valid yet",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not meant for servers"
        }
        CertificateError::NotValidForName => "the certificate is for another host",
        CertificateError::Revoked => "the certificate was revoked",
        CertificateError::BadSignature => "a signature does not fit the certificate",
        other => return cannot_be_judged(&words(&format!("{other:?}"))),
    };
    message.to_owned()
}

/// Why webpki refused a certificate, where rustls has no name for it.
fn explain_webpki(error: &webpki::Error) -> String {
    use webpki::Error;
    let message = match error {
        Error::CaUsedAsEndEntity => {
            "the certificate is an authority's own, and its key usage does not allow servers"
        }
        Error::CertDistrusted => "the certificate's authority is not trusted any more",
        Error::EndEntityUsedAsCa => {
            "the certificate is signed by one that is no authority's (CA:FALSE)"
        }
        Error::EmptyEkuExtension => {
            "a certificate may be used for nothing (an empty extended key usage)"
        }
        Error::InvalidCertValidity => "a certificate ends before it begins",
        Error::ExtensionValueInvalid
        | Error::InvalidNetworkMaskConstraint
        | Error::InvalidSerialNumber
        | Error::MalformedDnsIdentifier
        | Error::MalformedExtensions
        | Error::MalformedNameConstraint => {
            let words = words(&format!("{error:?}"));
            return format!("a certificate is malformed ({words})");
        }
        Error::MaximumPathDepthExceeded => {
            "too many certificates stand between the server's and its authority"
        }
        Error::NameConstraintViolation => {
            "an authority that vouches for the certificate may not do so for its names (name constraints)"
        }
        Error::PathLenConstraintViolated => {
            "more certificates stand between the server's and its authority than the authority allows"
        }
        Error::SignatureAlgorithmMismatch => {
            "a certificate says in two places by what it is signed, and not the same"
        }
        Error::UnsupportedCertVersion => "the certificate is not of X.509 version 3",
        Error::UnsupportedCriticalExtension => {
            "a certificate has a critical extension that webmon does not know"
        }
        other => return cannot_be_judged(&words(&format!("{other:?}"))),
    };
    message.to_owned()
}

/// What is said where the words of the library are all there is.
fn cannot_be_judged(words: &str) -> String {
    format!("the certificate cannot be judged ({words})")
}

/// The server's certificate, or one of those between it and its authority.
fn whose(own: bool, end: Option<&ChainEnd>) -> String {
    match end {
        _ if own => "the certificate".to_owned(),
        Some(end) => end.which(),
        None => "a certificate between the server's and its authority".to_owned(),
    }
}

/// A time in seconds since the Unix epoch, and its day.
fn day(time: UnixTime) -> (i64, String) {
    let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    (second, x509::day(second))
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
