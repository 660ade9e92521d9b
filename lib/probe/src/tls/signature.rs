//! The signature of a handshake by the server's key, where rustls cannot check it.

use std::ops::RangeInclusive;

use contract::outcome::Reason;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error};
use webpki::{EndEntityCert, RawPublicKeyEntity};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::refused::refused_for;
use super::x509;
use crate::fault::Fault;

/// The bits of the keys for RSA that webmon works with: shorter ones can be broken, and OpenSSL refuses them too.
pub(super) const RSA_BITS: RangeInclusive<usize> = 2_048..=8_192;

/// What a server signed.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    /// The handshake.
    pub(super) message: &'a [u8],
    /// The certificate with its key.
    pub(super) leaf: &'a CertificateDer<'a>,
    /// The signature.
    pub(super) by: &'a DigitallySignedStruct,
}

impl Signed<'_> {
    /// Judges the signature once more, that rustls refused with `error`. Where certificates are not verified the
    /// signature proves nothing, so one that cannot be checked passes; one that is wrong shows a broken server.
    #[cold]
    #[inline(never)]
    pub(super) fn judge(
        self,
        error: Error,
        algorithms: &WebPkiSupportedAlgorithms,
        verify: bool,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(error, Error::PeerMisbehaved(_)) {
            return Err(error);
        }
        let certificate = x509::parse(self.leaf, false);
        let key = certificate.as_ref().map(|parsed| parsed.public_key());
        match key.filter(|key| is_usable(key, algorithms)) {
            None if !verify => Ok(HandshakeSignatureValid::assertion()),
            None => Err(key.and_then(odd_size).unwrap_or(error)),
            // rustls could read the certificate, and what it says stands
            Some(_) if EndEntityCert::try_from(self.leaf).is_ok() => Err(error),
            Some(key) => self.verify(key, algorithms),
        }
    }

    /// Checks the signature by the key alone.
    fn verify(
        self,
        key: &SubjectPublicKeyInfo<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(key.raw);
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let scheme = self.by.scheme;
        let mut algorithms = (algorithms.mapping.iter())
            .filter(|(offered, _)| *offered == scheme)
            .flat_map(|(_, algorithms)| *algorithms);
        let signature = self.by.signature();
        let fits = algorithms.any(|algorithm| {
            key.verify_signature(*algorithm, self.message, signature)
                .is_ok()
        });
        if fits {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(CertificateError::BadSignature.into())
    }
}

/// Whether signatures by this key can be checked.
fn is_usable(key: &SubjectPublicKeyInfo<'_>, algorithms: &WebPkiSupportedAlgorithms) -> bool {
    let odd = x509::rsa_bits(key).is_some_and(|bits| !RSA_BITS.contains(&bits));
    let algorithm = x509::content(key.raw).and_then(x509::content);
    let known = |id: &[u8]| {
        let mut all = algorithms.all.iter();
        all.any(|known| known.public_key_alg_id().as_ref() == id)
    };
    !odd && algorithm.is_some_and(known)
}

/// What is said of a key for RSA that is too short or too long.
fn odd_size(key: &SubjectPublicKeyInfo<'_>) -> Option<Error> {
    let bits = x509::rsa_bits(key).filter(|bits| !RSA_BITS.contains(bits))?;
    let message = format!(
        "the certificate's RSA key has {bits} bits; webmon accepts {} to {}",
        RSA_BITS.start(),
        RSA_BITS.end()
    );
    Some(refused_for(Fault::here(Reason::TlsCertificate, message)))
}
