//! The body of the last response: counted as it comes, kept only where an expectation needs it.

use std::io::Read;

use contract::outcome::Reason;
use ureq::Body;

use crate::blame;
use crate::budget::Share;
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd, ResponseState};

/// Decoded bytes are read so many at a time, at first, and on the stack: a check should not touch more
/// memory than it needs.
const PIECE_FIRST: usize = 2 * 1024;
/// The most bytes that are read at a time, when there are many.
pub(super) const PIECE_MOST: usize = 8 * 1024;

/// How much of a body is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// What the checker reads at most, in decoded bytes.
    pub(super) limit: u64,
    /// What the site's answer may have, in decoded bytes.
    pub(super) max_size: Option<u64>,
    /// Whether an expectation needs the bytes.
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

/// Reads a body; what is kept comes out of `share`.
pub(super) fn receive(body: Body, limits: Limits, share: &mut Share) -> Result<Received, Fault> {
    let mut received = Received::default();
    observed::with(|observed| observed.body_bytes = Some(0));
    if observed::with(|observed| observed.response) == ResponseState::Done {
        // No body, which the library would yet try to decode (the head may answer `HEAD`).
        return Ok(received);
    }
    let mut reader = body.into_reader();
    let (mut first, mut more) = ([0; PIECE_FIRST], Vec::new());
    let mut piece = first.as_mut_slice();
    let mut count: u64 = 0;
    while !received.cut {
        let read = reader
            .read(piece)
            .map_err(|error| blame::explain(error.into()))?;
        if read == 0 {
            return end(received);
        }
        let room = usize::try_from(limits.limit - count).unwrap_or(usize::MAX);
        let taken = read.min(room);
        received.cut = taken < read;
        count += u64::try_from(taken).unwrap_or(0);
        observed::with(|observed| observed.body_bytes = Some(count));
        if let Some(max) = limits.max_size.filter(|max| count > *max) {
            let message = format!("the body has more than {max} bytes");
            return Err(Fault::at("expect", Reason::Size, message));
        }
        if limits.keep {
            let piece = piece.get(..taken).unwrap_or_default();
            keep(share, &mut received.bytes, piece, limits.limit)?;
        }
        if read == piece.len() && read < PIECE_MOST {
            more.resize(2 * read, 0);
            piece = more.as_mut_slice();
        }
    }
    Ok(received)
}

/// Keeps a piece of a body that is at most `limit` bytes long.
fn keep(share: &mut Share, bytes: &mut Vec<u8>, piece: &[u8], limit: u64) -> Result<(), Fault> {
    let needed = bytes.len() + piece.len();
    if needed > bytes.capacity() {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let room = (2 * bytes.capacity()).max(needed).min(limit.max(needed));
        let more = u64::try_from(room - bytes.capacity()).unwrap_or(u64::MAX);
        share
            .take(more)
            .map_err(|spent| Fault::here(Reason::LocalResources, spent))?;
        bytes.reserve_exact(room - bytes.len());
    }
    bytes.extend_from_slice(piece);
    Ok(())
}

/// The connection's end, unless it was a reset: the library takes both for the end of a body that has
/// no length.
fn end(received: Received) -> Result<Received, Fault> {
    if observed::with(|observed| observed.connection_end) == ConnectionEnd::Reset {
        let message = "the server reset the connection before the response was complete";
        return Err(Fault::here(Reason::Reset, message));
    }
    Ok(received)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::budget::Budget;

    #[test]
    fn what_is_kept_is_taken_from_the_budget_and_given_back() {
        let budget = Arc::new(Budget::new(20_000, "nothing is left"));
        let left = || budget.left();
        let (mut first, mut second) = (budget.share(), budget.share());
        let mut body = Vec::new();
        for _ in 0..10 {
            keep(&mut first, &mut body, &[b'x'; 1_000], 10_000).unwrap();
        }
        assert_eq!(
            (body.len(), body.capacity(), left()),
            (10_000, 10_000, 10_000)
        );
        let mut other = Vec::new();
        keep(&mut second, &mut other, &[b'x'; 8_000], 64_000).unwrap();
        let fault = keep(&mut second, &mut other, &[b'x'; 8_000], 64_000).unwrap_err();
        assert_eq!(fault.reason, Reason::LocalResources);
        drop(first);
        keep(&mut second, &mut other, &[b'x'; 8_000], 64_000).unwrap();
        drop(second);
        assert_eq!(left(), 20_000);
    }
}
