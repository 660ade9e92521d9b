//! Verifies a server's certificate, after noting it: the library forgets one that it refused, and an
//! expired one must still show its date.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use webpki::EndEntityCert;

use super::authorities::System;
use super::lifetime::Lifetime;
use super::presented::Presented;
use super::refused::refused;
use super::signature::Signed;
use super::{trusted, weak};
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
    /// How signatures are checked.
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
    /// Whether the certificate proves that the server is the one that was asked for, and while when; `None` if its
    /// dates cannot be read.
    fn verify_server(
        &self,
        presented: Presented<'_>,
        name: &ServerName<'_>,
    ) -> Result<Option<Lifetime>, Error> {
        let certificate = match EndEntityCert::try_from(presented.leaf) {
            Ok(certificate) => certificate,
            Err(webpki::Error::UnsupportedCertVersion) => {
                let roots = self.roots();
                return trusted::verify_version_1(presented, name, roots).map(Some);
            }
            Err(error) => return Err(refused(error)),
        };
        let lifetime = match &self.extra {
            Some(extra) if extra.certificates.contains(presented.leaf) => {
                Some(trusted::verify_dates(presented.leaf, presented.now)?)
            }
            extra => self
                .verify_issuer(&certificate, presented, extra.as_ref())
                .map_err(|error| weak::explain(error, presented, self.roots()))?,
        };
        certificate
            .verify_is_valid_for_subject_name(name)
            .map_err(refused)?;
        Ok(lifetime)
    }

    /// Whether an authority vouches for a certificate: one of the system's, else one of the site's.
    fn verify_issuer(
        &self,
        certificate: &EndEntityCert<'_>,
        presented: Presented<'_>,
        extra: Option<&Extra>,
    ) -> Result<Option<Lifetime>, webpki::Error> {
        let algorithms = self.algorithms.all;
        match (self.system.vouch(certificate, presented, algorithms), extra) {
            // Two authorities may share a name, so any refusal by the first lets the second speak.
            (Err(first), Some(extra)) => {
                let verified = presented.verify(certificate, &extra.roots, algorithms);
                verified.map_err(|second| match second {
                    webpki::Error::UnknownIssuer => first,
                    second => second,
                })
            }
            (verified, _) => verified,
        }
    }

    /// All authorities.
    fn roots(&self) -> [Option<&RootCertStore>; 2] {
        [
            Some(&self.system.roots),
            self.extra.as_ref().map(|extra| &extra.roots),
        ]
    }
}

/// Notes when the first certificate ends that the connection needs, also where it has ended already.
fn note_end(presented: Presented<'_>, verified: &Result<Option<Lifetime>, Error>) {
    let end = match verified {
        Ok(lifetime) => lifetime.map(|lifetime| presented.end(lifetime)),
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            i64::try_from(not_after.as_secs())
                .ok()
                .and_then(|second| presented.ended(second))
        }
        Err(_) => None,
    };
    observed::with(|observed| observed.hop().map(|hop| hop.chain_end = end));
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
            let presented = Presented { leaf, others, now };
            let verified = self.verify_server(presented, name);
            note_end(presented, &verified);
            verified?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        by: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, leaf, by, &self.algorithms);
        let signed = Signed { message, leaf, by };
        verified.or_else(|error| signed.judge(error, &self.algorithms, self.verify))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        by: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, leaf, by, &self.algorithms);
        let signed = Signed { message, leaf, by };
        verified.or_else(|error| signed.judge(error, &self.algorithms, self.verify))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
