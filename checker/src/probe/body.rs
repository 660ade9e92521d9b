//! The body of the last response: counted as it comes, kept only where someone asks for it.

use std::io::Read;

use contract::outcome::Reason;
use ureq::Body;

use super::fault::{self, Fault};
use super::record;

/// Decoded bytes are read so many at a time.
const PIECE_BYTES: usize = 8 * 1024;

/// How much of a body is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// What the checker reads at most, in decoded bytes.
    pub(super) limit: u64,
    /// What the site's answer may have, in decoded bytes.
    pub(super) max_size: Option<u64>,
    /// Whether someone looks at the bytes.
    pub(super) keep: bool,
}

/// A body, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The bytes, if they were to be kept.
    pub(super) bytes: Vec<u8>,
    /// Whether there was more.
    pub(super) cut: bool,
}

/// Reads a body.
pub(super) fn receive(body: Body, limits: Limits) -> Result<Received, Fault> {
    let mut reader = body.into_reader();
    let mut received = Received::default();
    let mut piece = [0; PIECE_BYTES];
    let mut count: u64 = 0;
    record::with(|record| record.body_bytes = Some(0));
    while !received.cut {
        let read = reader
            .read(&mut piece)
            .map_err(|error| fault::explain(error.into()))?;
        if read == 0 {
            return end(received);
        }
        let room = usize::try_from(limits.limit - count).unwrap_or(usize::MAX);
        let taken = read.min(room);
        received.cut = taken < read;
        count += u64::try_from(taken).unwrap_or(0);
        record::with(|record| record.body_bytes = Some(count));
        if let Some(max) = limits.max_size.filter(|max| count > *max) {
            let message = format!("the body has more than {max} bytes");
            return Err(Fault::at("expect", Reason::Size, message));
        }
        if limits.keep {
            received.bytes.extend(piece.iter().take(taken));
        }
    }
    Ok(received)
}

/// The connection's end, unless it was a reset: the library takes both for the end of a body that has
/// no length.
fn end(received: Received) -> Result<Received, Fault> {
    if record::with(|record| record.reset) {
        let message = "the server reset the connection before the response was complete";
        return Err(Fault::here(Reason::Reset, message));
    }
    Ok(received)
}
