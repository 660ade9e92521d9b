//! The names of algorithms in certificates.

use x509_parser::asn1_rs::{FromDer as _, Oid};

/// The algorithm of a signature, from its identifier in DER without tag and length.
pub(super) fn signature(id: &[u8]) -> String {
    let oid = oid(id).map(|(oid, _)| oid).unwrap_or_default();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "RSA with MD2",
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS with rare parameters",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.3.101.113" => "Ed448",
        "1.2.156.10197.1.501" => "SM2",
        "2.16.840.1.101.3.4.3.1" | "2.16.840.1.101.3.4.3.2" => "DSA with SHA-2",
        _ => return numbered(&oid),
    };
    name.to_owned()
}

/// The kind of a public key, from its identifier in DER without tag and length.
pub(super) fn public_key(id: &[u8]) -> String {
    let Some((kind, parameters)) = oid(id) else {
        return numbered("");
    };
    let curve = oid(parameters).map(|(oid, _)| oid).unwrap_or_default();
    let name = match (kind.as_str(), curve.as_str()) {
        ("1.2.840.113549.1.1.1", _) => "RSA",
        ("1.2.840.113549.1.1.10", _) => "RSA-PSS only",
        ("1.2.840.10040.4.1", _) => "DSA",
        ("1.2.840.10045.2.1", "1.2.840.10045.3.1.1") => "EC on P-192",
        ("1.2.840.10045.2.1", "1.3.132.0.33") => "EC on P-224",
        ("1.2.840.10045.2.1", "1.2.840.10045.3.1.7") => "EC on P-256",
        ("1.2.840.10045.2.1", "1.3.132.0.34") => "EC on P-384",
        ("1.2.840.10045.2.1", "1.3.132.0.35") => "EC on P-521",
        ("1.2.840.10045.2.1", "1.3.132.0.10") => "EC on secp256k1",
        ("1.2.840.10045.2.1", "1.3.36.3.3.2.8.1.1.7") => "EC on brainpoolP256r1",
        ("1.2.840.10045.2.1", "1.3.36.3.3.2.8.1.1.11") => "EC on brainpoolP384r1",
        ("1.2.840.10045.2.1", "1.3.36.3.3.2.8.1.1.13") => "EC on brainpoolP512r1",
        ("1.2.840.10045.2.1", _) => "EC on a rare curve",
        ("1.3.101.112", _) => "Ed25519",
        ("1.3.101.113", _) => "Ed448",
        _ => return numbered(&kind),
    };
    name.to_owned()
}

/// An algorithm that has no name here.
fn numbered(oid: &str) -> String {
    format!("the algorithm {oid}").trim_end().to_owned()
}

/// The identifier at the beginning, with dots, and what comes behind it.
fn oid(der: &[u8]) -> Option<(String, &[u8])> {
    let (rest, oid) = Oid::from_der(der).ok()?;
    Some((oid.to_id_string(), rest))
}
