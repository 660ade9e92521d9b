//! A connection, within the check's time and size.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use contract::outcome::Reason;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::GrowingBuffers;
use crate::blame;
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd};
use crate::sockets::SocketPermit;

/// A connection that keeps the check's limits of time and size, with as few system calls as that takes.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The socket, which blocks.
    stream: TcpStream,
    /// That it may be open.
    _opened: SocketPermit,
}

/// A connection as the HTTP library sees it.
#[derive(Debug)]
pub(crate) struct TcpTransport {
    /// The connection.
    pub(crate) socket: Socket,
    /// Bytes on their way.
    pub(crate) buffers: GrowingBuffers,
}

impl Socket {
    /// Waits until there is room to send, at most until the check's time is up.
    fn wait_for_room(&self) -> Result<(), Fault> {
        let left = observed::left().ok_or_else(blame::timeout)?;
        let time = Timespec::try_from(left).ok();
        match poll(
            &mut [PollFd::new(&self.stream, PollFlags::OUT)],
            time.as_ref(),
        ) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(blame::explain_io(&error.into())),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = observed::left().ok_or_else(|| into_io(blame::timeout()))?;
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(buffer) {
                Ok(read) => {
                    count(read).map_err(into_io)?;
                    return Ok(read);
                }
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => {
                    // The library takes a reset for the end of a body without a length.
                    if error.kind() == ErrorKind::ConnectionReset {
                        observed::with(|observed| observed.connection_end = ConnectionEnd::Reset);
                    }
                    return Err(error);
                }
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            // there is nearly always room, and then no timeout is needed
            let sent = send(
                &self.stream,
                bytes,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            );
            match sent.map_err(io::Error::from) {
                Err(error) if is_pause(error.kind()) => self.wait_for_room().map_err(into_io)?,
                Err(error) => return Err(into_io(blame::explain_io(&error))),
                Ok(sent) => return Ok(sent),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TcpTransport {
    /// A connection that has just been made; its socket blocks.
    pub(crate) fn new((stream, opened): (TcpStream, SocketPermit)) -> Self {
        Self {
            socket: Socket {
                stream,
                _opened: opened,
            },
            buffers: GrowingBuffers::default(),
        }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.socket.write_all(output)?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let read = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        // no connection is used twice
        false
    }
}

/// Whether to look at the clock and try again.
fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Interrupted | ErrorKind::WouldBlock)
}

/// A fault on its way through what knows only errors of input and output.
fn into_io(fault: Fault) -> io::Error {
    ureq::Error::from(fault).into_io()
}

/// Counts bytes that came over the wire: compressed nothing must not keep a check busy.
fn count(read: usize) -> Result<(), Fault> {
    let read = u64::try_from(read).unwrap_or(u64::MAX);
    let enough = observed::with(|observed| {
        let left = observed.wire_left.checked_sub(read);
        observed.wire_left = left.unwrap_or(0);
        left.is_some()
    });
    if enough {
        return Ok(());
    }
    Err(Fault::here(
        Reason::TooLarge,
        "the response has too many bytes for what is in it",
    ))
}
