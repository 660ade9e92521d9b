//! A socket, within the check's time and size.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::slice;
use std::time::Duration;

use contract::outcome::Reason;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::early::Heard;
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd, Phase};
use crate::sockets::SocketPermit;
use crate::{blame, exact};

/// A connection that keeps the check's limits of time and size, with as few system calls as that takes.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The socket, which blocks.
    stream: TcpStream,
    /// For how long it blocks at a read; zero until that is said.
    blocks_for: Duration,
    /// Whether anything is still sent.
    sending: Sending,
    /// That it may be open.
    _opened: SocketPermit,
}

/// Whether anything is still sent over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    /// All that is to be sent.
    On,
    /// Nothing: the server does not want it.
    Off,
    /// Nothing, as the server has reset the connection. The system tells that only once.
    Reset,
}

impl Socket {
    /// A connection that has just been made; its socket blocks.
    pub(super) fn new((stream, opened): (TcpStream, SocketPermit)) -> Self {
        Self {
            stream,
            blocks_for: Duration::ZERO,
            sending: Sending::On,
            _opened: opened,
        }
    }

    /// From now on what is to be sent is passed over, as if it had been sent: the library then reads the answer.
    pub(super) fn stop_sending(&mut self) {
        self.sending = Sending::Off;
    }

    /// Waits until there is room to send, or the server says something that should be heard first: then it is
    /// `false`.
    #[cold]
    #[inline(never)]
    fn wait_for_room(&self) -> Result<bool, Fault> {
        // In a handshake each side waits for the other.
        let news = match observed::phase() {
            Phase::Tls => PollFlags::OUT,
            _ => PollFlags::OUT | PollFlags::IN,
        };
        let left = observed::left().ok_or_else(blame::timeout)?;
        Ok(self.wait_for(news, left)? != PollFlags::IN)
    }

    /// Whether there is room to send within this time.
    pub(super) fn makes_room_within(&self, time: Duration) -> io::Result<bool> {
        let left = observed::left().ok_or_else(|| into_io(blame::timeout()))?;
        let room = self.wait_for(PollFlags::OUT, left.min(time));
        Ok(!room.map_err(into_io)?.is_empty())
    }

    /// Waits for news of the socket, so long at most; it may end before, and without any.
    fn wait_for(&self, news: PollFlags, time: Duration) -> Result<PollFlags, Fault> {
        let mut socket = PollFd::new(&self.stream, news);
        match exact::poll(slice::from_mut(&mut socket), time) {
            Ok(()) | Err(Errno::INTR) => Ok(socket.revents()),
            Err(error) => Err(blame::explain_io(&error.into())),
        }
    }

    /// Sees to it that a read blocks no longer than `left`; `false` if it would have to be too exact.
    fn blocks_within(&mut self, left: Duration) -> io::Result<bool> {
        if !self.blocks_for.is_zero() && exact::is_over_before(self.blocks_for, left) {
            return Ok(true);
        }
        let Some(time) = exact::blocked(left) else {
            return Ok(false);
        };
        self.stream.set_read_timeout(Some(time))?;
        self.blocks_for = time;
        Ok(true)
    }

    /// Reads what comes until the check's time is up, and not a moment longer.
    #[cold]
    #[inline(never)]
    fn read_on_time(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = observed::left().ok_or_else(|| into_io(blame::timeout()))?;
            self.wait_for(PollFlags::IN, left).map_err(into_io)?;
            match self.read_now(buffer) {
                Err(error) if is_pause(error.kind()) => {}
                read => return self.checked(read),
            }
        }
    }

    /// Reads what is there.
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (_, read) = recv(&self.stream, buffer, RecvFlags::DONTWAIT)?;
        Ok(read)
    }

    /// What was read, unless that is too much, or the end of a connection that was reset.
    fn checked(&self, read: io::Result<usize>) -> io::Result<usize> {
        let read = match read {
            Ok(0) if self.sending == Sending::Reset => Err(ErrorKind::ConnectionReset.into()),
            read => read,
        };
        match &read {
            Ok(bytes) => count(*bytes).map_err(into_io)?,
            // The library takes a reset for the end of a body without a length.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                observed::with(|observed| observed.connection_end = ConnectionEnd::Reset);
            }
            Err(_) => {}
        }
        read
    }

    /// Hears what the server says.
    pub(super) fn hear(&mut self, buffer: &mut [u8]) -> io::Result<Heard> {
        match self.read_now(buffer) {
            Err(error) if is_pause(error.kind()) => Ok(Heard::Bytes(0)),
            read => Ok(match self.checked(read)? {
                0 => Heard::End,
                bytes => Heard::Bytes(bytes),
            }),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = observed::left().ok_or_else(|| into_io(blame::timeout()))?;
        if self.blocks_within(left)? {
            match self.stream.read(buffer) {
                Err(error) if is_pause(error.kind()) => {}
                read => return self.checked(read),
            }
        }
        self.read_on_time(buffer)
    }
}

impl Write for Socket {
    /// Sends some of it. `WouldBlock` means that the server should be heard first.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while self.sending == Sending::On {
            // there is nearly always room, and then no timeout is needed
            let sent = send(
                &self.stream,
                bytes,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            );
            match sent.map_err(io::Error::from) {
                Ok(sent) => return Ok(sent),
                Err(error) if is_pause(error.kind()) => {
                    if !self.wait_for_room().map_err(into_io)? {
                        return Err(ErrorKind::WouldBlock.into());
                    }
                }
                // A server that is done need not read on, and its answer may be here (RFC 9112, 9.5). One that had
                // closed its side before it reset ours has said all.
                Err(error) => match error.kind() {
                    ErrorKind::BrokenPipe => self.sending = Sending::Off,
                    ErrorKind::ConnectionReset => self.sending = Sending::Reset,
                    _ => return Err(into_io(blame::explain_io(&error))),
                },
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
