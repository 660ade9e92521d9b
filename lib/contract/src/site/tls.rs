//! `request.tls`: how a site's certificate is verified, and the one that is shown to the site.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

use super::json::Field;
use super::template::Template;
use super::{SiteError, is_host_name};

/// The keys of `request.tls`.
const KEYS: &[&str] = &["ca", "certificate", "key", "server_name", "verify"];

/// How TLS is spoken with a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of authorities that are trusted beside the system's; none by default.
    pub ca: Vec<CertificateDer<'static>>,
    /// What is shown to the site.
    pub identity: Option<Identity>,
    /// The name that is asked for and must be in the certificate, instead of the URL's host.
    pub server_name: Option<String>,
    /// Whether the site's certificate is verified at all.
    pub verify: bool,
}

/// A client's certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and those that lead to its authority.
    pub certificate: Vec<CertificateDer<'static>>,
    /// The name of the secret with its key, as PEM: a key is never written in the clear.
    pub key: String,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            ca: Vec::new(),
            identity: None,
            server_name: None,
            verify: true,
        }
    }
}

impl Tls {
    /// Reads `request.tls`.
    pub(super) fn read(field: Field) -> Result<Self, SiteError> {
        let mut object = field.object(r#"an object like {"verify": false}"#)?;
        object.refuse_unknown(KEYS)?;
        let ca = object.take("ca").map(|field| certificates(&field));
        let certificate = object.take("certificate").map(|field| certificates(&field));
        let key = object.take("key").map(|field| secret(&field));
        let server_name = object.take("server_name").map(|field| host_name(&field));
        let verify = object.take("verify").map(|field| field.bool());
        let identity = match (certificate.transpose()?, key.transpose()?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (Some(_), None) => {
                return Err(SiteError::new(
                    "request.tls.certificate",
                    "needs a key beside it; add key: ${secret:NAME}",
                ));
            }
            (None, Some(_)) => {
                return Err(SiteError::new(
                    "request.tls.key",
                    "needs a certificate beside it; add certificate, in PEM",
                ));
            }
        };
        Ok(Self {
            ca: ca.transpose()?.unwrap_or_default(),
            identity,
            server_name: server_name.transpose()?,
            verify: verify.transpose()?.unwrap_or(true),
        })
    }
}

/// Reads certificates in PEM. Whether they are valid shows when TLS is spoken; a key is refused here, as it would be
/// stored in the clear.
fn certificates(field: &Field) -> Result<Vec<CertificateDer<'static>>, SiteError> {
    const EXAMPLE: &str = "PEM certificates, -----BEGIN CERTIFICATE-----";
    let text = field.text(EXAMPLE)?;
    if text.contains("PRIVATE KEY-----") {
        return Err(field.fault(
            "holds a private key; put it into a secret and name it as key: ${secret:NAME}",
        ));
    }
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.ok();
        let readable = certificate.filter(|der| parse_x509_certificate(der).is_ok());
        certificates.push(readable.ok_or_else(|| {
            let number = certificates.len() + 1;
            field.fault(format!(
                "certificate {number} cannot be read; copy it once more, as a whole"
            ))
        })?);
    }
    if certificates.is_empty() {
        return Err(field.fault(format!("holds no certificate; write {EXAMPLE}")));
    }
    Ok(certificates)
}

/// Reads the name of a secret, written as `${secret:NAME}` alone.
fn secret(field: &Field) -> Result<String, SiteError> {
    let template: Template = field.template("${secret:NAME}")?;
    match template.only_secret() {
        Some(name) => Ok(name.to_owned()),
        None => Err(field.fault("is no secret; put the key into one and write ${secret:NAME}")),
    }
}

/// Reads the name of a host, or an address.
fn host_name(field: &Field) -> Result<String, SiteError> {
    let text = field.text("a host name like shop.example")?;
    if is_host_name(text) || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(field.fault(format!(
        "{text:?} is no host name; write one like shop.example"
    )))
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
