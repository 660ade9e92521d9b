//! A connection as the HTTP library sees it: bytes within the check's time and size.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use contract::outcome::Reason;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::fault::{self, Fault};
use super::record;

/// The input buffer, and with it the longest head of a response, in bytes.
const INPUT_BYTES: usize = 16 * 1024;
/// The output buffer, in bytes, unless a line of the request is longer.
const OUTPUT_BYTES: usize = 4 * 1024;
/// Room beside the longest line: the empty line that ends the head.
const LINE_SLACK: usize = 16;

/// A connection, its buffers and the record's limits.
#[derive(Debug)]
pub(super) struct Wire {
    /// The socket.
    stream: TcpStream,
    /// Bytes on their way.
    buffers: LazyBuffers,
}

impl Wire {
    /// A connection that has just been made.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffers: buffers(),
        }
    }
}

/// Buffers for this check: a line of the request must fit the output as a whole.
pub(super) fn buffers() -> LazyBuffers {
    let line = record::with(|record| record.longest_line);
    LazyBuffers::new(INPUT_BYTES, OUTPUT_BYTES.max(line + LINE_SLACK))
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(left()?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(fault::explain_io(&ErrorKind::BrokenPipe.into()).into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => return Err(fault::explain_io(&error).into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        loop {
            self.stream.set_read_timeout(Some(left()?))?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(read) => {
                    self.buffers.input_appended(read);
                    count(read)?;
                    return Ok(read > 0);
                }
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => {
                    // The library takes a reset for the end of a body without a length.
                    let reset = error.kind() == ErrorKind::ConnectionReset;
                    record::with(|record| record.reset |= reset);
                    return Err(error.into());
                }
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // no connection is used twice
        false
    }
}

/// Whether to look at the clock and try again.
fn is_pause(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
    )
}

/// The time that is left for the check.
fn left() -> Result<Duration, ureq::Error> {
    record::left().ok_or_else(|| fault::timeout().into())
}

/// Counts bytes that came over the wire: compressed nothing must not keep a check busy.
fn count(read: usize) -> Result<(), ureq::Error> {
    let read = u64::try_from(read).unwrap_or(u64::MAX);
    let enough = record::with(|record| {
        let left = record.wire_left.checked_sub(read);
        record.wire_left = left.unwrap_or(0);
        left.is_some()
    });
    if enough {
        return Ok(());
    }
    Err(Fault::here(
        Reason::TooLarge,
        "the response has too many bytes for what is in it",
    )
    .into())
}
