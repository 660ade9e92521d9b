//! `kafka.ssl`: TLS to Kafka.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use runtime::config::{Document, Secret};
use serde::Deserialize;

/// `kafka.ssl.ca`, where the file says nothing and this is there.
const DEFAULT_CA: &str = "certs/kafka/ca.pem";
/// `kafka.ssl.certificate`, where the file says nothing and this is there.
const DEFAULT_CERTIFICATE: &str = "certs/kafka/service.cert";
/// `kafka.ssl.key`, where the file says nothing and this is there.
const DEFAULT_KEY: &str = "certs/kafka/service.key";
/// The variable by which a process is told other authorities than the system's.
const AUTHORITIES_VARIABLE: &str = "SSL_CERT_FILE";

/// `kafka.ssl`: TLS, with PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSsl {
    /// `kafka.ssl.ca`: what signs the brokers' certificates; none means the authorities of the system.
    pub ca: Option<PathBuf>,
    /// What this service shows the brokers, if anything.
    pub client: Option<ClientCertificate>,
}

/// What a service shows the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// `kafka.ssl.certificate`.
    pub certificate: PathBuf,
    /// `kafka.ssl.key`.
    pub key: PathBuf,
    /// `kafka.ssl.key_password`: of a key that is encrypted.
    pub key_password: Option<Secret>,
}

/// What is wrong is noted in the document.
struct Noted;

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSsl {
    /// `kafka.ssl.ca`.
    ca: Option<String>,
    /// `kafka.ssl.certificate`.
    certificate: Option<String>,
    /// `kafka.ssl.key`.
    key: Option<String>,
    /// `kafka.ssl.key_password`.
    key_password: Option<String>,
}

impl ClientCertificate {
    /// Whether the key takes a password.
    pub fn is_encrypted(&self) -> bool {
        // PKCS #8 says so in the first line, the older form in the second.
        fs::read_to_string(&self.key).is_ok_and(|text| text.contains("ENCRYPTED"))
    }
}

impl KafkaSsl {
    /// What the section means: the files it names, or the default ones that are there.
    pub(super) fn valid(document: &mut Document, raw: &RawSsl) -> Option<Self> {
        let ca = valid_ca(document, raw.ca.as_deref());
        let client = valid_client(document, raw);
        Some(Self {
            ca: ca.ok()?,
            client: client.ok()?,
        })
    }
}

/// The authorities: those of the file, of the default file, of the process, or of the system.
fn valid_ca(document: &mut Document, raw: Option<&str>) -> Result<Option<PathBuf>, Noted> {
    let key = "kafka.ssl.ca";
    let of_process = document.environment().variable(AUTHORITIES_VARIABLE);
    let path = match raw {
        Some(path) => Some(path.to_owned()),
        None if is_there(document, DEFAULT_CA) => Some(DEFAULT_CA.to_owned()),
        None => document.check(key, of_process).ok_or(Noted)?,
    };
    match path.filter(|path| !path.is_empty() || raw.is_some()) {
        Some(path) => valid_file(document, key, &path).map(Some),
        None => Ok(None),
    }
}

/// The client certificate: without `certificate` and `key` the default files, if one of them is there.
fn valid_client(document: &mut Document, raw: &RawSsl) -> Result<Option<ClientCertificate>, Noted> {
    let named = raw.certificate.is_some() || raw.key.is_some();
    if !named && !is_there(document, DEFAULT_CERTIFICATE) && !is_there(document, DEFAULT_KEY) {
        if raw.key_password.is_some() {
            let message = "is there without a client's key: set `kafka.ssl.key`, or leave it out";
            document.fault("kafka.ssl.key_password", message);
            return Err(Noted);
        }
        return Ok(None);
    }
    let certificate = raw.certificate.as_deref().unwrap_or(DEFAULT_CERTIFICATE);
    let certificate = valid_file(document, "kafka.ssl.certificate", certificate);
    let key = raw.key.as_deref().unwrap_or(DEFAULT_KEY);
    let key = valid_file(document, "kafka.ssl.key", key);
    let client = ClientCertificate {
        certificate: certificate?,
        key: key?,
        key_password: raw.key_password.as_deref().map(Secret::new),
    };
    if client.key_password.is_none() && client.is_encrypted() {
        let message = "missing: `kafka.ssl.key` is encrypted, say its password";
        document.fault("kafka.ssl.key_password", message);
        return Err(Noted);
    }
    Ok(Some(client))
}

/// Whether there is something at a default path, readable or not.
fn is_there(document: &Document, path: &str) -> bool {
    let found = fs::symlink_metadata(document.environment().locate(path));
    found.map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
}

/// A file that can be read now: librdkafka would only say so much later, and less clearly.
fn valid_file(document: &mut Document, key: &str, path: &str) -> Result<PathBuf, Noted> {
    let environment = document.environment();
    let checked = match environment.open(path) {
        Ok(_) => Ok(environment.locate(path)),
        Err(problem) => Err(format!(
            "{problem}: put the PEM file there, name another one, or delete the `ssl` section \
             for plain Kafka (relative paths start at the working directory)"
        )),
    };
    document.check(key, checked).ok_or(Noted)
}

/// Shows what is used, for `check-config`.
impl std::fmt::Display for KafkaSsl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |path: Option<&Path>, none: &str| {
            path.map_or_else(|| none.to_owned(), |path| path.display().to_string())
        };
        let certificate = self
            .client
            .as_ref()
            .map(|client| client.certificate.as_path());
        write!(
            f,
            "TLS (authorities: {}; client certificate: {})",
            shown(self.ca.as_deref(), "those of the system"),
            shown(certificate, "none")
        )
    }
}
