//! Servers that show an authority's certificate (`CA:TRUE`) as their own.
//!
//! Scripts for private authorities make such certificates, and OpenSSL takes them: RFC 5280 forbids an end entity's
//! certificate to vouch for others, not an authority's to serve TLS. webpki refuses them before it looks at anything
//! else. So it is shown a copy that differs in the one byte that says `TRUE`, and judges all the rest: dates, purposes,
//! the constraints of all authorities, and the path. The signature over the certificate is checked over its own bytes.

use std::ops::Range;

use rustls::RootCertStore;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
};
use webpki::{EndEntityCert, Error};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::OID_X509_EXT_BASIC_CONSTRAINTS;

use super::lifetime::Lifetime;
use super::presented::Presented;
use super::x509;

/// The longest certificate that is copied, in bytes.
const COPY_BYTES: usize = 8 << 10;
/// The beginning of basic constraints, after the length: a BOOLEAN of one byte.
const BOOLEAN: [u8; 2] = [1, 1];
/// The place of that byte in them: behind the tag and length of the sequence, and its own.
const VALUE: usize = 4;

/// Whether one of these authorities vouches for a certificate that is an authority's, and while when.
#[cold]
#[inline(never)]
pub(super) fn verify(
    presented: Presented<'_>,
    roots: &RootCertStore,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<Option<Lifetime>, Error> {
    let refused = Error::CaUsedAsEndEntity;
    let own = presented.leaf.as_ref();
    let Some((signed, flag)) = places(own).filter(|_| own.len() <= COPY_BYTES) else {
        return Err(refused);
    };
    let mut copy = own.to_vec();
    let Some(value) = copy.get_mut(flag) else {
        return Err(refused);
    };
    *value = 0;
    let (Some(shown), Some(signed)) = (copy.get(signed.clone()), own.get(signed)) else {
        return Err(refused);
    };
    let over_own_bytes: Vec<_> = (algorithms.iter())
        .map(|algorithm| OverOwnBytes {
            algorithm: *algorithm,
            shown,
            signed,
        })
        .collect();
    let algorithms: Vec<_> = (over_own_bytes.iter())
        .map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm)
        .collect();
    let leaf = CertificateDer::from(copy.as_slice());
    let certificate = EndEntityCert::try_from(&leaf)?;
    let copied = Presented {
        leaf: &leaf,
        others: presented.others,
        now: presented.now,
    };
    copied.follow(&certificate, roots, &algorithms)
}

/// Where in an authority's certificate the part is that was signed, and the byte that says that it is an authority's;
/// `None` if its key usage allows no server (RFC 5280, 4.2.1.3).
fn places(der: &[u8]) -> Option<(Range<usize>, usize)> {
    let certificate = x509::parse(der, true)?;
    if !may_serve(&certificate) {
        return None;
    }
    let constraints = certificate
        .get_extension_unique(&OID_X509_EXT_BASIC_CONSTRAINTS)
        .ok()??;
    let value = constraints.value;
    if value.get(2..VALUE)? != BOOLEAN {
        return None;
    }
    let signed = place(der, certificate.tbs_certificate.as_ref())?;
    Some((signed, place(der, value)?.start + VALUE))
}

/// Whether the key usage, where there is one, allows what a server of TLS does.
fn may_serve(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(Some(usage)) => {
            let usage = usage.value;
            usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
        }
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Where a part of `whole` lies in it.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let place = start..start.checked_add(part.len())?;
    (whole.get(place.clone())? == part).then_some(place)
}

/// Checks the signature over what was `signed` in place of what is `shown`, and all others as they are.
#[derive(Debug)]
struct OverOwnBytes<'a> {
    algorithm: &'a dyn SignatureVerificationAlgorithm,
    shown: &'a [u8],
    signed: &'a [u8],
}

impl SignatureVerificationAlgorithm for OverOwnBytes<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let message = if message == self.shown {
            self.signed
        } else {
            message
        };
        self.algorithm
            .verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}
