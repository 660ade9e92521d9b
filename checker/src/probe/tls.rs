//! TLS over a connection: a full handshake at every check.

use std::io::{self, Read, Write};
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr, ensure};
use contract::outcome::Reason;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::fault::{self, Fault};
use super::record::{self, Phase};
use super::resolve;
use super::wire::{self, Wire};

/// The certificate authorities that this machine trusts; none at all is an error.
pub(super) fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    ensure!(
        added > 0,
        "this machine trusts no certificate authority{}; install ca-certificates or set SSL_CERT_FILE",
        found
            .errors
            .first()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default(),
    );
    Ok(roots)
}

/// How TLS is spoken with servers that these authorities vouch for.
pub(super) fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .wrap_err("choosing the versions of TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session shows no certificate, so an expired one would go unnoticed.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Speaks TLS where the URL says `https`.
#[derive(Clone, Debug)]
pub(super) struct TlsConnector {
    /// How.
    pub(super) config: Arc<ClientConfig>,
}

impl Connector<Wire> for TlsConnector {
    type Out = Either<Wire, TlsWire>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        wire: Option<Wire>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        match wire {
            Some(wire) if details.needs_tls() => {
                record::enter(Phase::Tls);
                self.shake_hands(details, wire).map(Either::B).map(Some)
            }
            other => Ok(other.map(Either::A)),
        }
    }
}

impl TlsConnector {
    /// The handshake.
    fn shake_hands(
        &self,
        details: &ConnectionDetails<'_>,
        wire: Wire,
    ) -> Result<TlsWire, ureq::Error> {
        let host = resolve::target(details.uri).map_or("", |(host, _)| host);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Fault::here(
                Reason::InvalidSite,
                "the URL's host can be in no certificate",
            )
        })?;
        let mut session = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut wire = TransportAdapter::new(wire, Arc::clone(&details.current_time));
        session.complete_io(&mut wire).map_err(explain)?;
        Ok(TlsWire {
            buffers: wire::buffers(),
            stream: StreamOwned::new(session, wire),
        })
    }
}

/// A fault inside the wire passes through; what remains is TLS's own.
fn explain(error: io::Error) -> ureq::Error {
    match ureq::Error::from(error) {
        ureq::Error::Io(error) => fault::explain_io(&error).into(),
        other => other,
    }
}

/// A connection under TLS.
pub(super) struct TlsWire {
    /// Bytes on their way, in clear.
    buffers: LazyBuffers,
    /// The session over its connection.
    stream: StreamOwned<ClientConnection, TransportAdapter<Wire>>,
}

impl std::fmt::Debug for TlsWire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsWire").finish_non_exhaustive()
    }
}

impl Transport for TlsWire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        // no connection is used twice
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}
