//! Servers that show an authority's certificate as their own.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use serde_json::json;

use crate::authority::{Authority, EXPIRED, Shown, VALID};
use crate::certificates::{assert_table, row};
use crate::tls::HOST;

/// Makes a leaf an authority's.
fn ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
}

/// An authority's certificate for the server, with this key usage.
fn with_usage(root: &Authority, usages: &[KeyUsagePurpose]) -> Shown {
    root.leaf_with(HOST, VALID, |params| {
        ca(params);
        params.key_usages = usages.to_vec();
    })
}

/// The same, with this extended key usage.
fn with_purpose(root: &Authority, purpose: ExtendedKeyUsagePurpose) -> Shown {
    root.leaf_with(HOST, VALID, |params| {
        ca(params);
        params.extended_key_usages = vec![purpose];
    })
}

#[test]
fn an_authority_may_serve_with_its_own_certificate() {
    let root = Authority::new("root");
    let middle = root.under("middle", VALID);
    let alone = Shown::self_signed(HOST, VALID, true);
    let trusted = [root.der(), alone.chain[0].clone()];
    let all = [
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
    ];
    let below = middle.leaf_with(HOST, VALID, ca).with(&middle);
    let rows = [
        row("by a known one", root.leaf_with(HOST, VALID, ca)),
        row("further down", below),
        row("the system's own", alone),
        row("for all it must do", with_usage(&root, &all)),
        row(
            "for servers",
            with_purpose(&root, ExtendedKeyUsagePurpose::ServerAuth),
        ),
    ];
    assert_table("serving-authorities", &trusted, rows);
}

#[test]
fn an_authority_that_serves_is_judged_as_any_server() {
    let root = Authority::new("root");
    let middle = root.under("middle", VALID);
    let narrow = root.under_for("narrow", "b.example");
    let (namesake, other) = (Authority::new("root"), Authority::new("other"));
    let leaf = |authority: &Authority| authority.leaf_with(HOST, VALID, ca);
    let a_example = |authority: &Authority| authority.leaf_with(&["a.example"], VALID, ca);
    let trusted = [root.der()];
    let rows = [
        row(
            "to sign others only",
            with_usage(&root, &[KeyUsagePurpose::KeyCertSign]),
        )
        .refused("the certificate is an authority's own, and its key usage does not allow"),
        row(
            "for clients",
            with_purpose(&root, ExtendedKeyUsagePurpose::ClientAuth),
        )
        .refused("the certificate is not meant for servers"),
        row("expired", root.leaf_with(HOST, EXPIRED, ca))
            .refused("the certificate ended on 2021-01-01")
            .ends(2021),
        row("for another", a_example(&root))
            .refused("the certificate is for a.example, not 127.0.0.1"),
        row("with a gap", leaf(&middle))
            .refused("the certificate's issuer (CN=middle) is not known"),
        row("by a known one's namesake", leaf(&namesake))
            .refused("a signature does not fit the certificate"),
        row(
            "for a name that its issuer may not",
            a_example(&narrow).with(&narrow),
        )
        .with(&json!({"server_name": "a.example"}))
        .refused("an authority that vouches for the certificate may not do so for its names"),
        row("by nothing that is known", leaf(&other))
            .refused("the certificate's issuer (CN=other) is not known"),
        row("another's key", leaf(&root).with_key_of(&leaf(&root)))
            .refused("a signature does not fit the certificate"),
    ];
    assert_table("serving-authorities-refused", &trusted, rows);
}

#[test]
fn a_certificate_that_is_no_authoritys_vouches_for_nothing() {
    let root = Authority::new("root");
    let trusted = [root.der()];
    let none = root.under_as("middle", IsCa::ExplicitNoCa);
    let leaves = [
        ("a server's", none.leaf(HOST, VALID)),
        ("an authority's", none.leaf_with(HOST, VALID, ca)),
    ];
    let rows = leaves.map(|(what, leaf)| {
        row(what, leaf.with(&none))
            .refused("the certificate is signed by one that is no authority's (CA:FALSE)")
    });
    assert_table("no-authorities", &trusted, rows);
}
