//! Chains of certificates that are known, and those that are not.

use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::*;
use crate::tls::lifetime::ChainEnd;

/// An authority's parameters, valid in these years.
fn authority(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

/// An authority that vouches for itself.
fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let params = authority(name, 2000, 2090);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// When the first certificate of a chain ends for which the authorities vouch in the middle of a year.
fn end(system: &System, leaf: &Certificate, others: &[&[u8]], year: i32) -> Option<ChainEnd> {
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
    let parsed = EndEntityCert::try_from(presented.leaf).unwrap();
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    let lifetime = system.vouch(&parsed, presented, algorithms.all).ok()?;
    Some(presented.end(lifetime.unwrap()))
}

/// A certificate's end, in the first second of a year; `between` is its name where it is not the server's.
fn in_year(year: i32, between: Option<&str>) -> ChainEnd {
    ChainEnd {
        at_s: date_time_ymd(year, 1, 1).unix_timestamp(),
        between: between.map(|name| format!("CN={name}")),
    }
}

/// A server's certificate.
fn params(from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

#[test]
fn a_chain_that_is_known_is_refused_all_the_same_outside_of_its_time() {
    let root = root("root");
    let middle = authority("middle", 2010, 2030);
    let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &root).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = params(2020, 2040);
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
            let ends = vouched.then(|| in_year(2030, Some("middle")));
            let found = end(&system, &leaf, &others, year);
            assert_eq!(found, ends, "{turn}, {year}");
        }
    }
    assert_eq!(system.known.len(), 1);
    assert_eq!(
        end(&system, &leaf, &[], 2025),
        None,
        "without what leads to the authority"
    );

    let stranger = authority("middle", 2010, 2030);
    let stranger = CertifiedIssuer::self_signed(stranger, KeyPair::generate().unwrap()).unwrap();
    let forged = params.signed_by(&key, &stranger).unwrap();
    assert_eq!(
        end(&system, &forged, &others, 2025),
        None,
        "by another of the same name"
    );
    assert_eq!(system.known.len(), 1);
}

#[test]
fn only_the_certificates_that_are_needed_end_a_chain() {
    let (root, other) = (root("root"), root("other"));
    let key = || KeyPair::generate().unwrap();
    let middle = CertifiedIssuer::signed_by(authority("middle", 2010, 2035), key(), &root).unwrap();
    let leaf = params(2020, 2030).signed_by(&key(), &middle).unwrap();
    // an older authority vouched for the root too, until 2022
    let crossed = authority("root", 2000, 2022)
        .signed_by(root.key(), &other)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let mut old_roots = RootCertStore::empty();
    old_roots.add(other.der().clone()).unwrap();
    let others: [&[u8]; 2] = [middle.der(), crossed.der()];

    let system = System::new(roots);
    for _ in 0..2 {
        let found = end(&system, &leaf, &others, 2025);
        assert_eq!(
            found,
            Some(in_year(2030, None)),
            "not needed, though it ended"
        );
    }
    assert_eq!(system.known.len(), 1);
    let system = System::new(old_roots);
    for _ in 0..2 {
        let found = end(&system, &leaf, &others, 2021);
        assert_eq!(found, Some(in_year(2022, Some("root"))), "needed");
    }
    assert_eq!(
        end(&system, &leaf, &others, 2025),
        None,
        "needed, and ended"
    );
}
