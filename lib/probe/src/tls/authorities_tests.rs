//! Chains of certificates that are known, and those that are not.

use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;

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
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    system.vouch(&parsed, presented, algorithms.all).is_ok()
}

#[test]
fn a_chain_that_is_known_is_refused_all_the_same_outside_of_its_time() {
    let root = CertifiedIssuer::self_signed(authority(2000, 2090), KeyPair::generate().unwrap());
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
