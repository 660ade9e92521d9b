//! The body of the last response: counted as it comes, kept only where an expectation needs it.

use std::io::Read as _;
use std::sync::Arc;

use contract::outcome::Reason;
use ureq::Body;
use ureq::http::HeaderMap;

use crate::blame;
use crate::budget::{Budget, Share};
use crate::decode::{Cut, Stream};
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd, ResponseState};

/// Decoded bytes are read so many at a time, at first, and on the stack: a check should not touch more
/// memory than it needs.
pub(super) const PIECE_FIRST: usize = 2 * 1024;
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

impl Received {
    /// The bytes, and what is missing of them.
    pub(super) fn body(&self) -> (&[u8], Cut) {
        let cut = if self.cut { Cut::Limit } else { Cut::Whole };
        (&self.bytes, cut)
    }
}

/// A body while it is read.
pub(super) struct Receiver<'s> {
    /// Decodes what comes; none for a response without a body.
    stream: Option<Stream>,
    /// How much is read.
    limits: Limits,
    /// Where the memory of what is kept comes from.
    share: &'s mut Share,
    /// Decoded bytes up to now.
    count: u64,
    /// What was read up to now.
    pub(super) received: Received,
}

impl<'s> Receiver<'s> {
    /// A receiver that has read nothing; what is kept comes out of `share`, and what decoders take out of `memory`.
    pub(super) fn new(
        body: Body,
        headers: &HeaderMap,
        limits: Limits,
        memory: &Arc<Budget>,
        share: &'s mut Share,
    ) -> Result<Self, Fault> {
        observed::with(|observed| observed.body_bytes = Some(0));
        // No body, which a decoder would yet try to decode (the head may answer `HEAD`).
        let none = observed::with(|observed| observed.response) == ResponseState::Done;
        let needed = limits.keep || limits.max_size.is_some();
        let stream = (!none).then(|| Stream::new(body, headers, needed, memory));
        Ok(Self {
            stream: stream.transpose()?,
            limits,
            share,
            count: 0,
            received: Received::default(),
        })
    }

    /// Reads to the end, or to the limit.
    pub(super) fn receive(mut self) -> Result<Received, Fault> {
        let (mut first, mut more) = ([0; PIECE_FIRST], Vec::new());
        let mut piece = first.as_mut_slice();
        loop {
            let read = self.read(piece)?;
            if read == 0 {
                return Ok(self.received);
            }
            if read == piece.len() && read < PIECE_MOST {
                more.resize(2 * read, 0);
                piece = more.as_mut_slice();
            }
        }
    }

    /// Reads some bytes through `piece`; 0 at the end, and at the limit.
    pub(super) fn read(&mut self, piece: &mut [u8]) -> Result<usize, Fault> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.received.cut) else {
            return Ok(0);
        };
        let read = stream
            .read(piece)
            .map_err(|error| blame::explain(error.into()))?;
        if read == 0 {
            return end().map(|()| 0);
        }
        let limit = self.limits.limit;
        let room = usize::try_from(limit - self.count).unwrap_or(usize::MAX);
        let taken = read.min(room);
        self.received.cut = taken < read;
        self.count += u64::try_from(taken).unwrap_or(0);
        observed::with(|observed| observed.body_bytes = Some(self.count));
        if let Some(max) = self.limits.max_size.filter(|max| self.count > *max) {
            let message = format!("the body has more than {max} bytes");
            return Err(Fault::at("expect", Reason::Size, message));
        }
        if self.limits.keep {
            let piece = piece.get(..taken).unwrap_or_default();
            keep(self.share, &mut self.received.bytes, piece, limit)?;
        }
        Ok(read)
    }
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
fn end() -> Result<(), Fault> {
    if observed::with(|observed| observed.connection_end) == ConnectionEnd::Reset {
        let message = "the server reset the connection before the response was complete";
        return Err(Fault::here(Reason::Reset, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
