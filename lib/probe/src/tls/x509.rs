//! Certificates by the letter of X.509: parsed, and from when to when they are valid.

use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;
use x509_parser::time::ASN1Time;

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

/// Parses a certificate, its extensions only where they are read.
pub(super) fn parse(der: &[u8], extensions: bool) -> Option<X509Certificate<'_>> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(extensions);
    parser.parse(der).ok().map(|(_, certificate)| certificate)
}
