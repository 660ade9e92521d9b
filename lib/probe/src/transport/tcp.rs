//! A connection without TLS, as the HTTP library sees it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::GrowingBuffers;
use super::early::Early;
use super::socket::Socket;
use crate::sockets::SocketPermit;

/// A connection without TLS.
#[derive(Debug)]
pub(crate) struct TcpTransport {
    /// The connection.
    pub(crate) socket: Socket,
    /// Bytes on their way.
    pub(crate) buffers: GrowingBuffers,
    /// What came while there was no room to send.
    early: Early,
}

impl TcpTransport {
    /// A connection that has just been made; its socket blocks.
    pub(crate) fn new(connection: (TcpStream, SocketPermit)) -> Self {
        Self::over(Socket::new(connection))
    }

    /// A connection over this socket.
    pub(super) fn over(socket: Socket) -> Self {
        Self {
            socket,
            buffers: GrowingBuffers::default(),
            early: Early::default(),
        }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.early.listen(&mut self.socket, Socket::hear)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        if self.early.move_to(&mut self.buffers) {
            return Ok(true);
        }
        let read = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        // no connection is used twice
        false
    }
}
