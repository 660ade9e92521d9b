//! Authorities, and the certificates that they make.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, NameConstraints, SignatureAlgorithm, date_time_ymd,
};
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The years on whose first days a certificate begins and ends.
pub(crate) type Years = (i32, i32);
/// A certificate that is valid.
pub(crate) const VALID: Years = (2020, 2040);
/// One that is not any more.
pub(crate) const EXPIRED: Years = (2020, 2021);
/// One that is not yet.
pub(crate) const FUTURE: Years = (2039, 2040);

/// The first second of a year, since the Unix epoch.
pub(crate) fn second(year: i32) -> i64 {
    date_time_ymd(year, 1, 1).unix_timestamp()
}

/// What is said in a certificate.
fn params(common_name: &str, names: &[&str], years: Years) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

/// Who vouches for others.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// An authority that vouches for itself.
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(Self::params(name, VALID), key).unwrap())
    }

    /// An authority that this one vouches for.
    pub(crate) fn under(&self, name: &str, years: Years) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(Self::params(name, years), key, &self.0).unwrap())
    }

    /// What is said in an authority's certificate.
    fn params(name: &str, years: Years) -> CertificateParams {
        let mut params = params(name, &[], years);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// What this one vouches for, whether it is an authority or not.
    pub(crate) fn under_as(&self, name: &str, is_ca: IsCa) -> Self {
        let mut params = Self::params(name, VALID);
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    /// An authority that vouches for itself, by a key of this kind.
    pub(crate) fn with_key(name: &str, kind: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(kind).unwrap();
        Self(CertifiedIssuer::self_signed(Self::params(name, VALID), key).unwrap())
    }

    /// An authority for these names only that this one vouches for.
    pub(crate) fn under_for(&self, name: &str, domain: &str) -> Self {
        let mut params = Self::params(name, VALID);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
            excluded_subtrees: vec![],
        });
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    /// A server's certificate for these names.
    pub(crate) fn leaf(&self, names: &[&str], years: Years) -> Shown {
        self.leaf_with(names, years, |_| {})
    }

    /// The same, with something else in it.
    pub(crate) fn leaf_with(
        &self,
        names: &[&str],
        years: Years,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Shown {
        let key = KeyPair::generate().unwrap();
        self.leaf_of(&key, names, years, change)
    }

    /// The same, for a key.
    pub(crate) fn leaf_of(
        &self,
        key: &KeyPair,
        names: &[&str],
        years: Years,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Shown {
        let mut params = params("leaf", names, years);
        change(&mut params);
        let certificate = params.signed_by(key, &self.0).unwrap();
        Shown::new(certificate.der().clone(), key)
    }

    /// A certificate that is good for clients only.
    pub(crate) fn client_leaf(&self, names: &[&str]) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = params("client", names, VALID);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Shown::new(params.signed_by(&key, &self.0).unwrap().der().clone(), &key)
    }

    /// Its certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// Its certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }
}

/// What a server shows: certificates, its own first, and what it signs with.
pub(crate) struct Shown {
    /// The certificates.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// What it signs with.
    pub(crate) signs: Signs,
}

/// What a server signs with.
pub(crate) enum Signs {
    /// A key.
    Key(PrivateKeyDer<'static>),
    /// Nothing: bytes that say that they are such a signature.
    Nonsense(SignatureScheme),
}

impl Shown {
    /// A certificate alone.
    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        Self {
            chain: vec![certificate],
            signs: Signs::Key(PrivateKeyDer::try_from(key.serialize_der()).unwrap()),
        }
    }

    /// A certificate that vouches for itself, as an authority's or not.
    pub(crate) fn self_signed(names: &[&str], years: Years, authority: bool) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params("self", names, years);
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        Self::new(params.self_signed(&key).unwrap().der().clone(), &key)
    }

    /// The certificate in a file, signed for by the key in it, or by nonsense.
    pub(crate) fn of_file(pem: &str, nonsense: Option<SignatureScheme>) -> Self {
        let key = || PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        Self {
            chain: vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
            signs: nonsense.map_or_else(|| Signs::Key(key()), Signs::Nonsense),
        }
    }

    /// The same once more.
    pub(crate) fn again(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            signs: match &self.signs {
                Signs::Key(key) => Signs::Key(key.clone_key()),
                Signs::Nonsense(scheme) => Signs::Nonsense(*scheme),
            },
        }
    }

    /// With the certificate of its issuer.
    pub(crate) fn with(mut self, issuer: &Authority) -> Self {
        self.chain.push(issuer.der());
        self
    }

    /// With the key of another.
    pub(crate) fn with_key_of(mut self, other: &Self) -> Self {
        if let Signs::Key(key) = &other.signs {
            self.signs = Signs::Key(key.clone_key());
        }
        self
    }

    /// The server's own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        pem(&self.chain[0])
    }
}

/// A certificate in PEM.
pub(crate) fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
