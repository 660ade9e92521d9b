//! The first bytes of a server: they tell what it speaks where that is not TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::ops::RangeInclusive;

use contract::outcome::Reason;
use rustls::{Error, InvalidMessage};

use crate::blame;
use crate::fault::Fault;
use crate::transport::Socket;

/// So many bytes are kept.
const KEPT: usize = 16;
/// The kinds of records, which are their first bytes (RFC 8446, 5.1).
const RECORDS: RangeInclusive<u8> = 20..=23;

/// A connection during the handshake, and the first bytes that came.
pub(super) struct Opening<'a> {
    socket: &'a mut Socket,
    first: [u8; KEPT],
    kept: usize,
}

impl<'a> Opening<'a> {
    /// A connection on which nothing has come.
    pub(super) fn new(socket: &'a mut Socket) -> Self {
        Self {
            socket,
            first: [0; KEPT],
            kept: 0,
        }
    }

    /// What the first bytes tell of a handshake that failed with `error`.
    #[cold]
    #[inline(never)]
    pub(super) fn explain(&self, error: &io::Error) -> Option<Fault> {
        let first = self.first.get(..self.kept).unwrap_or_default();
        let no_tls = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            )) => true,
            Some(_) => false,
            None => first.first().is_some_and(|kind| !RECORDS.contains(kind)),
        };
        if no_tls {
            return Some(blame::explain_no_tls(first));
        }
        if error.kind() != ErrorKind::UnexpectedEof {
            return None;
        }
        let message = match first {
            [] => {
                "the server closed the connection before it sent anything; it may not speak TLS on this port, or only \
                 versions before TLS 1.2"
            }
            _ => "the server closed the connection in the middle of the handshake",
        };
        Some(Fault::here(Reason::TlsHandshake, message))
    }
}

impl Read for Opening<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.socket.read(buffer)?;
        let room = self.first.iter_mut().skip(self.kept);
        for (place, byte) in room.zip(buffer.iter().take(read)) {
            *place = *byte;
            self.kept += 1;
        }
        Ok(read)
    }
}

impl Write for Opening<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
