//! Authorities with a key for RSA that is too short to vouch for anything.

use contract::outcome::Reason;
use rustls::pki_types::TrustAnchor;
use rustls::{Error, RootCertStore};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::presented::Presented;
use super::refused::{refused, refused_for};
use super::signature::RSA_BITS;
use super::x509;
use crate::fault::Fault;

/// Why a certificate was refused. webpki calls a signature by a short key wrong.
#[cold]
#[inline(never)]
pub(super) fn explain(
    error: webpki::Error,
    presented: Presented<'_>,
    roots: [Option<&RootCertStore>; 2],
) -> Error {
    if error != webpki::Error::InvalidSignatureForPublicKey {
        return refused(error);
    }
    match short_key(presented, roots) {
        Some((bits, subject)) => {
            let message = format!(
                "the RSA key of an authority ({subject}) has {bits} bits; webmon accepts {} to {}",
                RSA_BITS.start(),
                RSA_BITS.end()
            );
            refused_for(Fault::here(Reason::TlsCertificate, message))
        }
        None => refused(error),
    }
}

/// The bits and the name of an authority whose key has too few or too many.
fn short_key(
    presented: Presented<'_>,
    roots: [Option<&RootCertStore>; 2],
) -> Option<(usize, String)> {
    let odd = |bits: Option<usize>| bits.filter(|bits| !RSA_BITS.contains(bits));
    let certificates = presented.all().filter_map(|der| x509::parse(der, false));
    for (place, certificate) in certificates.enumerate() {
        if place > 0
            && let Some(bits) = odd(x509::rsa_bits(certificate.public_key()))
        {
            return Some((bits, x509::shown(certificate.subject())));
        }
        let issuer = x509::content(certificate.issuer().as_raw())?;
        let mut roots = roots.iter().flatten().flat_map(|roots| &roots.roots);
        let bits = roots
            .find_map(|root| (root.subject.as_ref() == issuer).then(|| odd(root_bits(root)))?);
        if let Some(bits) = bits {
            return Some((bits, x509::shown(certificate.issuer())));
        }
    }
    None
}

/// The bits of an authority's key for RSA.
fn root_bits(root: &TrustAnchor<'_>) -> Option<usize> {
    let key = webpki::spki_for_anchor(root);
    let (_, key) = SubjectPublicKeyInfo::from_der(&key).ok()?;
    x509::rsa_bits(&key)
}
