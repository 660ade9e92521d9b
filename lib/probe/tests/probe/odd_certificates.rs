//! Certificates that are rare: by other algorithms, of X.509 version 1, with odd names and dates.

use contract::outcome::Reason;
use probe::Watched;
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519, SanType};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use crate::authority::{Authority, EXPIRED, Shown, VALID};
use crate::certificates::{assert_table, row};
use crate::detail;
use crate::tls::{HOST, prober, watch};
use crate::tls_server::{TlsServer, Turn};

const ROOT: &str = include_str!("pem/root.pem");
const SHORT_ROOT: &str = include_str!("pem/short-root.pem");
const ECDSA_SHA512: &str = include_str!("pem/ecdsa-sha512.pem");
const SHA1: &str = include_str!("pem/sha1.pem");
const RSA_1024: &str = include_str!("pem/rsa-1024.pem");
const UNDER_RSA_1024: &str = include_str!("pem/under-rsa-1024.pem");
const SECP256K1: &str = include_str!("pem/secp256k1.pem");
const CRITICAL: &str = include_str!("pem/critical.pem");
const VERSION_1: &str = include_str!("pem/version-1.pem");

/// The certificate of an authority in a file.
fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// What a server shows from a file, whose key it has.
fn file(pem: &str) -> Shown {
    Shown::of_file(pem, None)
}

/// The same, whose key rustls cannot sign with.
fn nonsense(pem: &str, scheme: SignatureScheme) -> Shown {
    Shown::of_file(pem, Some(scheme))
}

#[test]
fn public_algorithms_are_all_known() {
    let root = Authority::new("root");
    let root_521 = Authority::with_key("root 521", &PKCS_ECDSA_P521_SHA512);
    let root_25519 = Authority::with_key("root 25519", &PKCS_ED25519);
    let trusted = [root.der(), root_521.der(), root_25519.der(), der(ROOT)];
    let p_521 = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap();
    let p_384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let rows = [
        row("ECDSA with SHA-512 by P-256", file(ECDSA_SHA512)),
        row("by P-521", root_521.leaf(HOST, VALID)),
        row("by Ed25519", root_25519.leaf(HOST, VALID)),
        row("a key on P-521", root.leaf_of(&p_521, HOST, VALID, |_| {})),
        row("a key on P-384", root.leaf_of(&p_384, HOST, VALID, |_| {})),
    ];
    assert_table("certificates-by-algorithm", &trusted, rows);
}

#[test]
fn what_is_too_weak_or_unknown_is_said_in_words() {
    const PSS: SignatureScheme = SignatureScheme::RSA_PSS_SHA256;
    const P_256: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let trusted = [der(ROOT), der(SHORT_ROOT)];
    let rows = [
        row("SHA-1", file(SHA1)).refused(
            "a certificate is signed by ECDSA with SHA-1; webmon accepts RSA, RSA-PSS and ECDSA with SHA-256",
        ),
        row("a short key", nonsense(RSA_1024, PSS))
            .refused("the certificate's RSA key has 1024 bits; webmon accepts 2048 to 8192"),
        row("an authority's short key", file(UNDER_RSA_1024))
            .refused("the RSA key of an authority (CN=short root) has 1024 bits; webmon accepts"),
        row("another authority's short key", file(UNDER_RSA_1024))
            .with(&json!({"ca": SHORT_ROOT}))
            .refused("the RSA key of an authority (CN=short root) has 1024 bits; webmon accepts"),
        row("a rare curve", nonsense(SECP256K1, P_256))
            .refused("a signature is by a key (EC on secp256k1) that it does not fit"),
        row("a critical extension", file(CRITICAL))
            .refused("a certificate has a critical extension that webmon does not know"),
        row("version 1", file(VERSION_1))
            .refused("the certificate is of X.509 version 1; webmon trusts one only if"),
    ];
    assert_table("certificates-refused", &trusted, rows);
}

#[test]
fn where_certificates_are_not_verified_none_is_refused() {
    let unverified = json!({"verify": false});
    let shown = [
        ("SHA-1", file(SHA1)),
        (
            "a short key",
            nonsense(RSA_1024, SignatureScheme::RSA_PSS_SHA256),
        ),
        ("an authority's short key", file(UNDER_RSA_1024)),
        (
            "a rare curve",
            nonsense(SECP256K1, SignatureScheme::ECDSA_NISTP256_SHA256),
        ),
        ("a critical extension", file(CRITICAL)),
        ("version 1", file(VERSION_1)),
    ];
    let rows = shown.map(|(what, shown)| row(what, shown).with(&unverified));
    let key_of_another = Shown::self_signed(HOST, VALID, false);
    let other_key = row(
        "version 1, another's key",
        file(VERSION_1).with_key_of(&key_of_another),
    )
    .with(&unverified)
    .refused("a signature does not fit the certificate");
    let rows = rows.into_iter().chain([other_key]);
    assert_table("certificates-unverified", &[], rows);
}

#[test]
fn what_is_no_certificate_passes_where_none_is_verified() {
    let mut shown = nonsense(RSA_1024, SignatureScheme::ECDSA_NISTP256_SHA256);
    shown.chain = vec![CertificateDer::from(b"no certificate".to_vec())];
    let server = TlsServer::start(shown, vec![Turn::ok()]);
    let Watched { result, hops } = watch(&prober(&[]), &server.url(), &json!({"verify": false}));
    assert_eq!(result.reason, None, "{result:?}");
    assert_eq!(result.measured.certificate_expires_at_s, None);
    assert_eq!(hops[0].tls.as_ref().unwrap().certificate, None);
}

#[test]
fn version_1_is_trusted_where_it_is_an_authority_itself() {
    let trusted = [der(VERSION_1)];
    let other_key = || file(VERSION_1).with_key_of(&Shown::self_signed(HOST, VALID, false));
    let rows = [
        row("the system's", file(VERSION_1)),
        row("for another", file(VERSION_1))
            .with(&json!({"server_name": "a.example"}))
            .refused("the certificate is for 127.0.0.1, not a.example"),
        row("another's key", other_key()).refused("a signature does not fit the certificate"),
    ];
    assert_table("certificates-of-version-1", &trusted, rows);
    let rows = [row("the site's", file(VERSION_1)).trusted()];
    assert_table("certificates-of-version-1-of-sites", &[], rows);
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let root = Authority::new("root");
    let trusted = [root.der()];
    let named =
        |names: Vec<SanType>| root.leaf_with(&[], VALID, |params| params.subject_alt_names = names);
    let dns = |name: &str| named(vec![SanType::DnsName(name.try_into().unwrap())]);
    let to = |name: &str| json!({"server_name": name});
    let rows = [
        row("an address as a DNS name", dns("127.0.0.1"))
            .refused("the certificate has the address 127.0.0.1 as a DNS name; an address must stand"),
        row("a dot at the end", dns("a.example."))
            .with(&to("a.example"))
            .refused("the certificate is for a.example., with a dot at the end, where no name may"),
        row("a wildcard for none", dns("*.a.example"))
            .with(&to("a.example"))
            .refused("the certificate is for *.a.example, not a.example; a wildcard stands for one label, not"),
        row("a wildcard for two", dns("*.a.example"))
            .with(&to("x.y.a.example"))
            .refused("the certificate is for *.a.example, not x.y.a.example; a wildcard stands for one label"),
        row("a part of a label", dns("w*.a.example"))
            .with(&to("www.a.example"))
            .refused("the certificate is for w*.a.example, not www.a.example; a wildcard must be the whole"),
        row("punycode", dns("xn--bcher-kva.example")).with(&to("xn--bcher-kva.example")),
        row("the name in the subject alone", root.leaf(&[], VALID))
            .with(&to("leaf"))
            .refused("the certificate names no host (as subjectAltName), so not leaf; its subject (CN=leaf) does not"),
    ];
    assert_table("names-in-certificates", &trusted, rows);
}

#[test]
fn the_first_certificate_to_end_counts() {
    let root = Authority::new("root");
    let trusted = [root.der()];
    let soon = root.under("soon", (2020, 2030));
    let late = root.under("late", (2020, 2045));
    let unneeded = root.under("unneeded", EXPIRED);
    let rows = [
        row("one between", soon.leaf(HOST, VALID).with(&soon)).chain_ends(2030),
        row("its own", late.leaf(HOST, VALID).with(&late)),
        row(
            "one that is not needed",
            root.leaf(HOST, VALID).with(&unneeded),
        ),
        row("where none is verified", soon.leaf(HOST, VALID).with(&soon))
            .with(&json!({"verify": false})),
        row(
            "under a site's authority",
            soon.leaf(HOST, VALID).with(&soon),
        )
        .with(&json!({"ca": root.pem()}))
        .chain_ends(2030),
    ];
    assert_table("ends-of-chains", &trusted, rows);
    let server = TlsServer::start(soon.leaf(HOST, VALID).with(&soon), vec![Turn::ok()]);
    let mut task = crate::task(&server.url(), "{}", r#"{"certificate_days": 3650}"#);
    task.timeout_ms = crate::tls::LIMIT_MS;
    let started = contract::instant::UnixUs(crate::authority::second(2026) * 1_000_000);
    let result = prober(&trusted).check(&task, started);
    assert_eq!(
        result.reason,
        Some(Reason::CertificateExpiring),
        "{result:?}"
    );
    assert_eq!(
        detail(&result),
        "expect: a certificate between the server's and its authority (CN=soon) ends on 2030-01-01, in 1461 days; \
         expected at least 3650"
    );
}
