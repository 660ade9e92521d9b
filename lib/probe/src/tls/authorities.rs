//! The certificate authorities that this machine trusts, and the certificates that they vouch for.

use std::ops::RangeInclusive;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use color_eyre::eyre::{Result, ensure};
use quick_cache::sync::Cache;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{Error, RootCertStore};

use super::x509;

/// The most chains that are known.
const MAX_CHAINS: usize = 16_384;
/// The most memory that they take, in bytes: a digest and two instants each, and their place.
pub(crate) const CACHE_BYTES: usize = MAX_CHAINS * 128;

/// The authorities that this machine trusts.
///
/// Whether they vouch for a chain of certificates is the same whenever the same bytes are presented, but for
/// the time. To check its signatures takes as long as all the rest of a check, so it is done once.
#[derive(Debug)]
pub(crate) struct System {
    /// Their certificates.
    roots: RootCertStore,
    /// Chains that they vouch for, and while when all certificates of each are valid, in seconds since
    /// the Unix epoch.
    known: Cache<Chain, RangeInclusive<i64>>,
}

/// SHA-256 over all certificates of a chain.
type Chain = [u8; SHA256_OUTPUT_LEN];

/// How signatures are checked.
type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

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

/// The certificate authorities that this machine trusts; none at all is an error.
pub(crate) fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    ensure!(
        added > 0,
        "this machine trusts no certificate authority{}; install ca-certificates or set SSL_CERT_FILE",
        found
            .errors
            .first()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default(),
    );
    Ok(roots)
}

impl System {
    /// These authorities, which have seen no chain yet.
    pub(crate) fn new(roots: RootCertStore) -> Self {
        Self {
            roots,
            known: Cache::new(MAX_CHAINS),
        }
    }

    /// Whether one of them vouches for a certificate.
    pub(crate) fn vouch(
        &self,
        parsed: &ParsedCertificate<'_>,
        presented: Presented<'_>,
        algorithms: Algorithms,
    ) -> Result<(), Error> {
        let chain = presented.chain();
        let now = i64::try_from(presented.now.as_secs()).unwrap_or(i64::MAX);
        if let Some(valid) = self.known.get(&chain)
            && valid.contains(&now)
        {
            return Ok(());
        }
        presented.verify(parsed, &self.roots, algorithms)?;
        if let Some(valid) = presented.validity_s() {
            self.known.insert(chain, valid);
        }
        Ok(())
    }
}

impl<'a> Presented<'a> {
    /// Whether one of these authorities vouches for it.
    pub(crate) fn verify(
        self,
        parsed: &ParsedCertificate<'_>,
        roots: &RootCertStore,
        algorithms: Algorithms,
    ) -> Result<(), Error> {
        let Self { others, now, .. } = self;
        verify_server_cert_signed_by_trust_anchor(parsed, roots, others, now, algorithms)
    }

    /// All certificates.
    fn all(self) -> impl Iterator<Item = &'a CertificateDer<'a>> {
        [self.leaf].into_iter().chain(self.others)
    }

    /// What tells this chain from all others.
    fn chain(self) -> Chain {
        let mut digest = Context::new(&SHA256);
        for certificate in self.all() {
            digest.update(&certificate.len().to_le_bytes());
            digest.update(certificate);
        }
        let mut chain = [0; SHA256_OUTPUT_LEN];
        chain.copy_from_slice(digest.finish().as_ref());
        chain
    }

    /// While when all certificates are valid, also those that are not needed.
    fn validity_s(self) -> Option<RangeInclusive<i64>> {
        let mut all = i64::MIN..=i64::MAX;
        for certificate in self.all() {
            let (from, until) = x509::validity_s(certificate)?;
            all = from.max(*all.start())..=until.min(*all.end());
        }
        Some(all)
    }
}

#[cfg(test)]
#[path = "authorities_tests.rs"]
mod tests;
