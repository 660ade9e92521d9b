//! The certificate authorities that this machine trusts, and the certificates that they vouch for.

use color_eyre::eyre::{Result, ensure};
use quick_cache::sync::Cache;
use rustls::RootCertStore;
use rustls::pki_types::SignatureVerificationAlgorithm;
use webpki::{EndEntityCert, Error};

use super::lifetime::Lifetime;
use super::presented::{ChainDigest, Presented};

/// The most chains that are known.
const MAX_CHAINS: usize = 16_384;
/// The most memory that they take, in bytes: a digest and a lifetime each, and their place.
pub(crate) const CACHE_BYTES: usize = MAX_CHAINS * 128;

/// The authorities that this machine trusts.
///
/// Whether they vouch for a chain of certificates is the same whenever the same bytes are presented, but for
/// the time. To check its signatures takes as long as all the rest of a check, so it is done once.
#[derive(Debug)]
pub(crate) struct System {
    /// Their certificates.
    pub(super) roots: RootCertStore,
    /// Chains that they vouch for, and while when each is valid.
    known: Cache<ChainDigest, Lifetime>,
}

/// How signatures are checked.
type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

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

    /// Whether one of them vouches for a certificate, and while when; `None` if the dates cannot be read.
    pub(super) fn vouch(
        &self,
        certificate: &EndEntityCert<'_>,
        presented: Presented<'_>,
        algorithms: Algorithms,
    ) -> Result<Option<Lifetime>, Error> {
        let chain = presented.digest();
        let now = i64::try_from(presented.now.as_secs()).unwrap_or(i64::MAX);
        if let Some(lifetime) = self.known.get(&chain)
            && lifetime.contains(now)
        {
            return Ok(Some(lifetime));
        }
        let lifetime = presented.verify(certificate, &self.roots, algorithms)?;
        if let Some(lifetime) = lifetime {
            self.known.insert(chain, lifetime);
        }
        Ok(lifetime)
    }
}

#[cfg(test)]
#[path = "authorities_tests.rs"]
mod tests;
