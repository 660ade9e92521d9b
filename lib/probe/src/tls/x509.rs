//! Certificates by the letter of X.509: parsed, their dates, names and keys.

use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::redact::printable;

/// The longest name of a certificate that is shown beside others, in characters.
const NAME_CHARS: usize = 64;

/// From when and until when a certificate is valid, in seconds since the Unix epoch.
pub(crate) fn validity_s(der: &[u8]) -> Option<(i64, i64)> {
    let certificate = parse(der, false)?;
    let validity = certificate.validity();
    Some((
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    ))
}

/// The day of a second since the Unix epoch, as `2026-11-01`.
pub(crate) fn day(second: i64) -> String {
    match ASN1Time::from_timestamp(second) {
        Ok(time) => time.to_datetime().date().to_string(),
        Err(_) => format!("second {second}"),
    }
}

/// A certificate's subject, for people.
pub(crate) fn subject(der: &[u8]) -> Option<String> {
    parse(der, false).map(|certificate| shown(certificate.subject()))
}

/// A name of a certificate, for people.
pub(crate) fn shown(name: &X509Name<'_>) -> String {
    printable(name.to_string(), NAME_CHARS)
}

/// The last common name in a certificate's subject.
pub(crate) fn common_name(certificate: &X509Certificate<'_>) -> Option<String> {
    let last = certificate.subject().iter_common_name().last()?;
    last.as_str().ok().map(str::to_owned)
}

/// The bits of a public key for RSA; `None` if it is another one.
pub(crate) fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => Some(rsa.key_size()),
        _ => None,
    }
}

/// What is inside of a value in DER, without the tag and the length before it.
pub(crate) fn content(der: &[u8]) -> Option<&[u8]> {
    Any::from_der(der).ok().map(|(_, any)| any.data)
}

/// Parses a certificate, its extensions only where they are read.
pub(crate) fn parse(der: &[u8], extensions: bool) -> Option<X509Certificate<'_>> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(extensions);
    parser.parse(der).ok().map(|(_, certificate)| certificate)
}
