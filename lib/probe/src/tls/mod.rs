//! TLS over a connection: a full handshake at every check.

pub(crate) mod authorities;
mod authority_leaf;
pub(crate) mod certificate;
pub(crate) mod clients;
pub(crate) mod handshake;
pub(crate) mod lifetime;
mod opening;
mod presented;
mod provider;
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
use crate::transport::{Buffered, Early, GrowingBuffers, Heard, Socket, TcpTransport};

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
        let TcpTransport {
            socket, buffers, ..
        } = tcp;
        let session = ClientConnection::new(config, name)?;
        let mut stream = Box::new(StreamOwned::new(session, socket));
        let StreamOwned { conn, sock } = &mut *stream;
        let mut opening = Opening::new(sock);
        let shaken = conn.complete_io(&mut opening);
        note_version(conn.protocol_version());
        match shaken {
            Ok(_) => Ok(TlsTransport {
                buffers,
                stream,
                early: Early::default(),
            }),
            Err(error) => Err(match opening.explain(&error) {
                Some(fault) => fault.into(),
                None => explain(error),
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

/// Why a connection broke.
fn explain(error: io::Error) -> ureq::Error {
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

/// Hears what the server says, in clear. Tickets for a next handshake are nothing.
fn hear(
    session: &mut ClientConnection,
    socket: &mut Socket,
    piece: &mut [u8],
) -> io::Result<Heard> {
    if session.read_tls(socket)? == 0 {
        return Ok(Heard::End);
    }
    let taken = session.process_new_packets();
    taken.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    match session.reader().read(piece) {
        Ok(0) => Ok(Heard::End),
        Ok(bytes) => Ok(Heard::Bytes(bytes)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Heard::Bytes(0)),
        Err(error) => Err(error),
    }
}

/// A connection under TLS.
pub(super) struct TlsTransport {
    /// Bytes on their way, in clear.
    buffers: GrowingBuffers,
    /// The session over its connection; in a box, as most connections have none and are moved a lot.
    stream: Box<StreamOwned<ClientConnection, Socket>>,
    /// What came while there was no room to send, in clear.
    early: Early,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Buffered for TlsTransport {
    fn growing(&mut self) -> &mut GrowingBuffers {
        &mut self.buffers
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let StreamOwned { conn, sock } = &mut *self.stream;
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            let taken = conn.writer().write(rest).map_err(explain)?;
            rest = rest.get(taken..).unwrap_or_default();
            while conn.wants_write() {
                match conn.write_tls(sock) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        let heard = self
                            .early
                            .listen(sock, |sock, piece| hear(conn, sock, piece));
                        heard.map_err(explain)?;
                    }
                    Err(error) => return Err(explain(error)),
                }
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        if self.early.move_to(&mut self.buffers) {
            return Ok(true);
        }
        let StreamOwned { conn, sock } = &mut *self.stream;
        let read = Stream::new(conn, sock).read(self.buffers.input_append_buf());
        let read = read.map_err(explain)?;
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

#[cfg(test)]
mod tests;
