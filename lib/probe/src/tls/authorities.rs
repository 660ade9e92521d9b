//! The certificate authorities that this machine trusts, and the certificates that they vouch for.

use std::ops::RangeInclusive;

use color_eyre::eyre::{Result, ensure};
use quick_cache::sync::Cache;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
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
mod tests {
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair,
        date_time_ymd,
    };
    use rustls::crypto::ring;

    use super::*;

    /// An authority's parameters, valid in these years.
    fn authority(from: i32, until: i32) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params
    }

    /// Whether the authorities vouch for a chain at the beginning of a year.
    fn vouch(system: &System, leaf: &Certificate, others: &[&[u8]], year: i32) -> bool {
        let others: Vec<_> = others
            .iter()
            .map(|der| CertificateDer::from(*der))
            .collect();
        let since = date_time_ymd(year, 6, 1).unix_timestamp();
        let since = Duration::from_secs(since.try_into().unwrap());
        let presented = Presented {
            leaf: leaf.der(),
            others: &others,
            now: UnixTime::since_unix_epoch(since),
        };
        let parsed = ParsedCertificate::try_from(presented.leaf).unwrap();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        system.vouch(&parsed, presented, algorithms.all).is_ok()
    }

    #[test]
    fn a_chain_that_is_known_is_refused_all_the_same_outside_of_its_time() {
        let root =
            CertifiedIssuer::self_signed(authority(2000, 2090), KeyPair::generate().unwrap());
        let root = root.unwrap();
        let middle =
            CertifiedIssuer::signed_by(authority(2010, 2030), KeyPair::generate().unwrap(), &root);
        let middle = middle.unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let leaf = params.signed_by(&key, &middle).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let system = System::new(roots);
        let others: [&[u8]; 1] = [middle.der()];
        for turn in ["unknown", "known"] {
            for (year, vouched) in [
                (2019, false),
                (2020, true),
                (2029, true),
                (2030, false),
                (2041, false),
            ] {
                assert_eq!(
                    vouch(&system, &leaf, &others, year),
                    vouched,
                    "{turn}, {year}"
                );
            }
        }
        assert_eq!(system.known.len(), 1);
        assert!(
            !vouch(&system, &leaf, &[], 2025),
            "without what leads to the authority"
        );

        let stranger =
            CertifiedIssuer::self_signed(authority(2010, 2030), KeyPair::generate().unwrap());
        let forged = params.signed_by(&key, &stranger.unwrap()).unwrap();
        assert!(
            !vouch(&system, &forged, &others, 2025),
            "by somebody of the same name"
        );
        assert_eq!(system.known.len(), 1);
    }
}
