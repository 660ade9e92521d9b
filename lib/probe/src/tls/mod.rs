//! TLS over a connection: a full handshake at every check.

pub(crate) mod authorities;
mod authority_leaf;
pub(crate) mod certificate;
pub(crate) mod clients;
pub(crate) mod handshake;
pub(crate) mod lifetime;
mod opening;
mod presented;
mod refused;
mod seen;
mod signature;
mod trusted;
pub(crate) mod verify;
mod weak;
pub(crate) mod x509;

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use contract::outcome::Reason;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, Stream, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use self::handshake::Handshake;
use self::opening::Opening;
pub use self::seen::{CertificateSeen, TlsSeen};
use crate::blame;
use crate::dns;
use crate::fault::Fault;
use crate::observed::{self, Phase};
use crate::transport::GrowingBuffers;
use crate::transport::{Socket, TcpTransport};

/// Speaks TLS where the URL says `https`.
#[derive(Clone, Debug)]
pub(super) struct TlsConnector {
    /// How, where the site has no handshake of its own.
    pub(super) plain: Arc<ClientConfig>,
}

impl Connector<TcpTransport> for TlsConnector {
    type Out = Either<TcpTransport, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        tcp: Option<TcpTransport>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        match tcp {
            Some(tcp) if details.needs_tls() => {
                observed::enter(Phase::Tls);
                self.shake_hands(details, tcp).map(Either::B).map(Some)
            }
            other => Ok(other.map(Either::A)),
        }
    }
}

impl TlsConnector {
    /// The handshake. It is not inlined, or the connections without one had its share of the stack too.
    #[inline(never)]
    fn shake_hands(
        &self,
        details: &ConnectionDetails<'_>,
        tcp: TcpTransport,
    ) -> Result<TlsTransport, ureq::Error> {
        let own = observed::with(|observed| {
            if let Some(hop) = observed.hop() {
                hop.tls = Some(TlsSeen::default());
            }
            observed.handshake.clone()
        });
        let Handshake {
            config,
            server_name,
        } = own.unwrap_or_else(|| Handshake {
            config: Arc::clone(&self.plain),
            server_name: None,
        });
        let name = server_name.map_or_else(|| host_name(details), Ok)?;
        let TcpTransport { socket, buffers } = tcp;
        let session = ClientConnection::new(config, name)?;
        let mut stream = Box::new(StreamOwned::new(session, socket));
        let StreamOwned { conn, sock } = &mut *stream;
        let mut opening = Opening::new(sock);
        let shaken = conn.complete_io(&mut opening);
        note_version(conn.protocol_version());
        match shaken {
            Ok(_) => Ok(TlsTransport { buffers, stream }),
            Err(error) => Err(match opening.explain(&error) {
                Some(fault) => fault.into(),
                None => explain(conn, sock, error),
            }),
        }
    }
}

/// The URL's host as certificates name it.
fn host_name(details: &ConnectionDetails<'_>) -> Result<ServerName<'static>, Fault> {
    let host = dns::target(details.uri).map_or("", |(host, _)| host);
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let message = "the URL's host can be in no certificate; set request.tls.server_name";
        Fault::here(Reason::InvalidSite, message)
    })
}

/// Notes the version that both sides agreed on.
fn note_version(version: Option<ProtocolVersion>) {
    let version = match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => return,
    };
    observed::with(|observed| {
        if let Some(tls) = observed.hop().and_then(|hop| hop.tls.as_mut()) {
            tls.version = Some(version);
        }
    });
}

/// Why a connection broke. Bytes may have come before it did, and an alert among them says more than
/// the broken pipe that it left behind.
fn explain(session: &mut ClientConnection, socket: &mut Socket, error: io::Error) -> ureq::Error {
    let known = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    while known.is_none() && session.read_tls(socket).is_ok_and(|read| read > 0) {
        if let Err(error) = session.process_new_packets() {
            return blame::explain_tls(&error).into();
        }
    }
    match ureq::Error::from(error) {
        // The library would take this for the end of a body without a length.
        ureq::Error::Io(error)
            if error.kind() == ErrorKind::UnexpectedEof && observed::phase() == Phase::Receive =>
        {
            let message = "the connection ended without the end of TLS (close_notify): the response may be cut off";
            Fault::here(Reason::Reset, message).into()
        }
        // A fault of the socket passes through; what remains is TLS's own.
        ureq::Error::Io(error) => blame::explain_io(&error).into(),
        other => other,
    }
}

/// A connection under TLS.
pub(super) struct TlsTransport {
    /// Bytes on their way, in clear.
    buffers: GrowingBuffers,
    /// The session over its connection; in a box, as most connections have none and are moved a lot.
    stream: Box<StreamOwned<ClientConnection, Socket>>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let StreamOwned { conn, sock } = &mut *self.stream;
        let written = Stream::new(conn, sock).write_all(output);
        written.map_err(|error| explain(conn, sock, error))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let StreamOwned { conn, sock } = &mut *self.stream;
        let read = Stream::new(conn, sock).read(self.buffers.input_append_buf());
        let read = read.map_err(|error| explain(conn, sock, error))?;
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
