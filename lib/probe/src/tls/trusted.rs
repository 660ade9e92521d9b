//! Certificates that are trusted for their own sake, whatever they say about authorities.

use std::time::Duration;

use contract::outcome::Reason;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};
use x509_parser::certificate::X509Certificate;
use x509_parser::x509::X509Version;

use super::lifetime::Lifetime;
use super::presented::Presented;
use super::refused::refused_for;
use super::x509;
use crate::fault::Fault;
use crate::redact::printable;

/// A name in a certificate is shown so long, in characters.
const NAME_CHARS: usize = 64;

/// While when a certificate that is trusted is valid; an error if it is not now.
pub(super) fn verify_dates(leaf: &CertificateDer<'_>, time: UnixTime) -> Result<Lifetime, Error> {
    let unix = |second: i64| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or(0)))
    };
    let dates = x509::validity_s(leaf).ok_or(CertificateError::BadEncoding)?;
    let (not_before, not_after) = (unix(dates.0), unix(dates.1));
    if time < not_before {
        return Err(CertificateError::NotValidYetContext { time, not_before }.into());
    }
    if time > not_after {
        return Err(CertificateError::ExpiredContext { time, not_after }.into());
    }
    Ok(Lifetime::of_leaf(dates))
}

/// Verifies a certificate of X.509 version 1, which webpki does not read. It is trusted where it is an authority's
/// own, by name and key. It can name a host in its subject alone, so there the common name counts, as for curl.
#[cold]
#[inline(never)]
pub(super) fn verify_version_1(
    presented: Presented<'_>,
    name: &ServerName<'_>,
    roots: [Option<&RootCertStore>; 2],
) -> Result<Lifetime, Error> {
    let certificate = x509::parse(presented.leaf, false).ok_or(CertificateError::BadEncoding)?;
    if certificate.version() != X509Version::V1 {
        return Err(refused_for(webpki::Error::UnsupportedCertVersion));
    }
    let mut roots = roots.into_iter().flatten();
    if !roots.any(|roots| is_one_of(&certificate, roots)) {
        let message = "the certificate is of X.509 version 1; webmon trusts one only if the same is in request.tls.ca";
        return Err(refused_for(Fault::here(Reason::TlsCertificate, message)));
    }
    let lifetime = verify_dates(presented.leaf, presented.now)?;
    let common_name = x509::common_name(&certificate).unwrap_or_default();
    if is_name(&common_name, &name.to_str()) {
        return Ok(lifetime);
    }
    let common_name = printable(&common_name, NAME_CHARS);
    let message = format!(
        "the certificate is for {common_name}, not {}",
        name.to_str()
    );
    Err(refused_for(Fault::here(Reason::TlsCertificate, message)))
}

/// Whether a certificate has the name and the key of one of these authorities.
fn is_one_of(certificate: &X509Certificate<'_>, roots: &RootCertStore) -> bool {
    let subject = x509::content(certificate.subject().as_raw());
    let key = x509::content(certificate.public_key().raw);
    roots.roots.iter().any(|root| {
        subject == Some(root.subject.as_ref()) && key == Some(root.subject_public_key_info.as_ref())
    })
}

/// Whether a common name is this host's, or a wildcard for its first label.
fn is_name(common_name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match common_name.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(_, domain)| domain.contains('.') && domain.eq_ignore_ascii_case(rest)),
        None => host.eq_ignore_ascii_case(common_name),
    }
}
