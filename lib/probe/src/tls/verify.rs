//! Verifies a server's certificate, after noting it: the library forgets one that it refused, and an
//! expired one must still show its date.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::authorities::{Presented, System};
use super::x509;
use crate::{check_memory, observed};

/// Verifies the certificates of servers.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// The authorities that this machine trusts.
    pub(crate) system: Arc<System>,
    /// Those that the site trusts beside them.
    pub(crate) extra: Option<Extra>,
    /// Whether certificates are verified at all.
    pub(crate) verify: bool,
    /// How signatures are checked, which is done in any case.
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

/// The authorities of one site.
#[derive(Debug)]
pub(crate) struct Extra {
    /// Their certificates: one of these may be the server's own.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// The same, ready to vouch for others.
    pub(crate) roots: RootCertStore,
}

impl Verifier {
    /// Whether the certificate proves that the server is the one that was asked for.
    fn verify_server(&self, presented: Presented<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(presented.leaf)?;
        match &self.extra {
            Some(extra) if extra.certificates.contains(presented.leaf) => {
                verify_dates(presented.leaf, presented.now)?;
            }
            extra => self.verify_issuer(&parsed, presented, extra.as_ref())?,
        }
        verify_server_name(&parsed, name)
    }

    /// Whether an authority vouches for a certificate: one of the system's, else one of the site's.
    fn verify_issuer(
        &self,
        parsed: &ParsedCertificate<'_>,
        presented: Presented<'_>,
        extra: Option<&Extra>,
    ) -> Result<(), Error> {
        let algorithms = self.algorithms.all;
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        match (self.system.vouch(parsed, presented, algorithms), extra) {
            // Two authorities may share a name, so any refusal by the first lets the second speak.
            (Err(first), Some(extra)) => {
                let verified = presented.verify(parsed, &extra.roots, algorithms);
                verified.map_err(|second| match second {
                    second if second == unknown => first,
                    second => second,
                })
            }
            (verified, _) => verified,
        }
    }
}

/// Whether a certificate that is trusted for its own sake is valid now.
fn verify_dates(leaf: &CertificateDer<'_>, time: UnixTime) -> Result<(), Error> {
    let unix = |second: i64| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or(0)))
    };
    let (from, until) = x509::validity_s(leaf).ok_or(CertificateError::BadEncoding)?;
    let (not_before, not_after) = (unix(from), unix(until));
    if time < not_before {
        return Err(CertificateError::NotValidYetContext { time, not_before }.into());
    }
    if time > not_after {
        return Err(CertificateError::ExpiredContext { time, not_after }.into());
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let bytes = leaf.len() + others.iter().map(|other| other.len()).sum::<usize>();
        check_memory::take_for_chain(bytes)
            .map_err(|fault| Error::Other(OtherError(Arc::new(fault))))?;
        observed::with(|observed| observed.hop().map(|hop| hop.leaf = Some(leaf.to_vec())));
        if self.verify {
            self.verify_server(Presented { leaf, others, now }, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
