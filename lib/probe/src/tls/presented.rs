//! The certificates that a server presents, and whether they lead to an authority.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use super::lifetime::{ChainEnd, Lifetime};
use super::{authority_leaf, x509};

/// What tells a chain from all others: SHA-256 over all its certificates.
pub(super) type ChainDigest = [u8; SHA256_OUTPUT_LEN];

/// A certificate and what came with it.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    /// The server's own.
    pub(crate) leaf: &'a CertificateDer<'a>,
    /// Those that lead to an authority.
    pub(crate) others: &'a [CertificateDer<'a>],
    /// When it was presented.
    pub(crate) now: UnixTime,
}

impl<'a> Presented<'a> {
    /// Whether one of these authorities vouches for it, and while when; `None` if the dates cannot be read.
    pub(super) fn verify(
        self,
        certificate: &EndEntityCert<'_>,
        roots: &RootCertStore,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<Option<Lifetime>, Error> {
        match self.follow(certificate, roots, algorithms) {
            Err(Error::CaUsedAsEndEntity) => authority_leaf::verify(self, roots, algorithms),
            verified => verified,
        }
    }

    /// Follows the signatures to one of these authorities. It is not inlined: a chain that is known needs no room for
    /// a path on the stack.
    #[inline(never)]
    pub(super) fn follow(
        self,
        certificate: &EndEntityCert<'_>,
        roots: &RootCertStore,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<Option<Lifetime>, Error> {
        let path = certificate.verify_for_usage(
            algorithms,
            &roots.roots,
            self.others,
            self.now,
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        let between = path.intermediate_certificates();
        Ok(self.lifetime(between.map(webpki::Cert::der)))
    }

    /// While when the server's certificate and these others are valid.
    fn lifetime<'b>(self, between: impl Iterator<Item = CertificateDer<'b>>) -> Option<Lifetime> {
        let mut lifetime = Lifetime::of_leaf(x509::validity_s(self.leaf)?);
        for certificate in between {
            let place = self.all().position(|other| **other == *certificate)?;
            lifetime = lifetime.through(place, x509::validity_s(&certificate)?);
        }
        Some(lifetime)
    }

    /// The end of a lifetime of these certificates.
    pub(super) fn end(self, lifetime: Lifetime) -> ChainEnd {
        let (at_s, place) = lifetime.end();
        ChainEnd {
            at_s,
            between: self.between(place),
        }
    }

    /// The certificate that ended at this second since the Unix epoch, where it is one of the others.
    pub(super) fn ended(self, at_s: i64) -> Option<ChainEnd> {
        let ended =
            |der: &CertificateDer<'_>| x509::validity_s(der).is_some_and(|(_, s)| s == at_s);
        let place = self.all().position(ended).filter(|place| *place > 0)?;
        Some(ChainEnd {
            at_s,
            between: self.between(place),
        })
    }

    /// The subject of the certificate at `place`, unless it is the server's own.
    fn between(self, place: usize) -> Option<String> {
        if place == 0 {
            return None;
        }
        let subject = self.all().nth(place).and_then(|der| x509::subject(der));
        Some(subject.unwrap_or_default())
    }

    /// All certificates.
    pub(super) fn all(self) -> impl Iterator<Item = &'a CertificateDer<'a>> {
        [self.leaf].into_iter().chain(self.others)
    }

    /// What tells this chain from all others.
    pub(super) fn digest(self) -> ChainDigest {
        let mut digest = Context::new(&SHA256);
        for certificate in self.all() {
            digest.update(&certificate.len().to_le_bytes());
            digest.update(certificate);
        }
        let mut chain = [0; SHA256_OUTPUT_LEN];
        chain.copy_from_slice(digest.finish().as_ref());
        chain
    }
}
