//! How TLS is spoken with each site: client configurations, shared by the options that make them.

use std::fmt;
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr};
use contract::outcome::Reason;
use contract::site::tls::{Identity, Tls};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore};

use super::authorities::System;
use super::handshake::Handshake;
use super::provider::provider;
use super::verify::{Extra, Verifier};
use crate::blame;
use crate::fault::Fault;

/// The most memory of the configurations kept, in bytes: room for thousands of the usual few KiB.
pub(crate) const CACHE_BYTES: u64 = 16 << 20;
/// About how many take so much.
const CACHE_CONFIGS: usize = 1 << 12;
/// A configuration without its certificates and key takes about so many bytes.
const CONFIG_BYTES: usize = 2 << 10;
/// What the options hold is in the configuration too, in one form more.
const FORMS: usize = 3;

/// The client configurations of all sites.
pub(crate) struct Clients {
    /// The cryptography.
    provider: Arc<CryptoProvider>,
    /// The authorities that this machine trusts.
    system: Arc<System>,
    /// The configuration of sites without options, which nearly all are: it is always there.
    plain: Arc<ClientConfig>,
    /// Those of sites with options.
    own: Cache<Options, Arc<ClientConfig>, Memory>,
}

/// What makes a configuration; with a key in it, so it does not print.
#[derive(PartialEq, Eq, Hash)]
struct Options {
    /// Certificates of authorities.
    ca: Vec<CertificateDer<'static>>,
    /// The client's certificates, and its key in PEM.
    identity: Option<(Vec<CertificateDer<'static>>, String)>,
    /// Whether certificates are verified.
    verify: bool,
}

impl Clients {
    /// Configurations that trust these authorities.
    pub(crate) fn new(roots: RootCertStore) -> Result<Self> {
        let provider = Arc::new(provider().wrap_err("drawing random bytes")?);
        let system = Arc::new(System::new(roots));
        let verifier = verifier(&provider, &system, None, true);
        let plain =
            configure(&provider, verifier, None).wrap_err("choosing the versions of TLS")?;
        Ok(Self {
            provider,
            system,
            plain: Arc::new(plain),
            own: Cache::with_weighter(CACHE_CONFIGS, CACHE_BYTES, Memory),
        })
    }

    /// The configuration of sites without options.
    pub(crate) fn plain(&self) -> &Arc<ClientConfig> {
        &self.plain
    }

    /// How TLS is spoken with a site, if it has options of its own; `key` is the one of its
    /// certificate, in PEM.
    pub(crate) fn of_site(&self, tls: &Tls, key: Option<&str>) -> Result<Option<Handshake>, Fault> {
        if *tls == Tls::default() {
            return Ok(None);
        }
        let name = tls.server_name.as_deref();
        let name = name.map(|name| ServerName::try_from(name.to_owned()));
        let server_name = name.transpose().map_err(|_| {
            let message = "can be in no certificate; write a name like shop.example";
            Fault::at("request.tls.server_name", Reason::InvalidSite, message)
        })?;
        Ok(Some(Handshake {
            config: self.config(tls, key)?,
            server_name,
        }))
    }

    /// The configuration for a site's options.
    fn config(&self, tls: &Tls, key: Option<&str>) -> Result<Arc<ClientConfig>, Fault> {
        let Tls {
            ca,
            identity,
            verify,
            server_name: _,
        } = tls;
        let identity = identity.as_ref().zip(key);
        let options = Options {
            ca: ca.clone(),
            identity: identity
                .map(|(identity, key)| (identity.certificate.clone(), key.to_owned())),
            verify: *verify,
        };
        if let Some(known) = self.own.get(&options) {
            return Ok(known);
        }
        let extra = if ca.is_empty() {
            None
        } else {
            Some(authorities(ca)?)
        };
        let identity = identity.map(|(identity, key)| self.certified_key(identity, key));
        let verifier = verifier(&self.provider, &self.system, extra, *verify);
        let config = configure(&self.provider, verifier, identity.transpose()?)
            .map_err(|error| Fault::at("request.tls", Reason::Internal, error.to_string()))?;
        let config = Arc::new(config);
        self.own.insert(options, Arc::clone(&config));
        Ok(config)
    }

    /// A client's certificate with its key.
    fn certified_key(&self, identity: &Identity, key: &str) -> Result<CertifiedKey, Fault> {
        const NO_KEY: &str = "holds no private key (in PEM, not encrypted)";
        let name = &identity.key;
        let missing = |what: &str| {
            let message = format!("the secret {name} {what}");
            Fault::at("request.tls.key", Reason::SecretMissing, message)
        };
        let place = "request.tls.certificate";
        let chain = identity.certificate.clone();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| missing(NO_KEY))?;
        let key = self.provider.key_provider.load_private_key(key);
        let pair = CertifiedKey::new(chain, key.map_err(|_| missing(NO_KEY))?);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
            Err(rustls::Error::InconsistentKeys(_)) => Err(missing(
                "holds a key that does not belong to the certificate",
            )),
            Err(error) => Err(unreadable(place, 1, &error)),
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// Weighs configurations by what they take in memory, in bytes.
#[derive(Clone, Debug)]
struct Memory;

impl Weighter<Options, Arc<ClientConfig>> for Memory {
    fn weight(&self, options: &Options, _: &Arc<ClientConfig>) -> u64 {
        let identity = options.identity.iter();
        let keys = identity.clone().map(|(_, key)| key.len());
        let chains = identity.flat_map(|(chain, _)| chain);
        let certificates = options.ca.iter().chain(chains).map(|der| der.len());
        let bytes: usize = certificates.chain(keys).sum();
        u64::try_from(CONFIG_BYTES + bytes * FORMS).unwrap_or(u64::MAX)
    }
}

/// Verifies certificates by the system's authorities and a site's.
fn verifier(
    provider: &CryptoProvider,
    system: &Arc<System>,
    extra: Option<Extra>,
    verify: bool,
) -> Arc<Verifier> {
    Arc::new(Verifier {
        system: Arc::clone(system),
        extra,
        verify,
        algorithms: provider.signature_verification_algorithms,
    })
}

/// A client that verifies by `verifier`, and shows `identity` to servers that ask for it.
fn configure(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<Verifier>,
    identity: Option<CertifiedKey>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(pair) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session shows no certificate, so an expired one would go unnoticed.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// A site's own authorities.
fn authorities(certificates: &[CertificateDer<'static>]) -> Result<Extra, Fault> {
    const PLACE: &str = "request.tls.ca";
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates.iter().enumerate() {
        let added = roots.add(certificate.clone());
        added.map_err(|error| unreadable(PLACE, index + 1, &error))?;
    }
    Ok(Extra {
        certificates: certificates.to_vec(),
        roots,
    })
}

/// A certificate that TLS cannot work with; `number` counts from 1.
fn unreadable(place: &'static str, number: usize, error: &rustls::Error) -> Fault {
    let why = blame::explain_tls(error).message;
    let message = format!("certificate {number} in it cannot be read ({why})");
    Fault::at(place, Reason::InvalidSite, message)
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
