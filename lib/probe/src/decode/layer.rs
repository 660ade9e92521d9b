//! One coding, taken away while the bytes come.

use std::io::{self, ErrorKind, Read};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use contract::outcome::Reason;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::brotli::Brotli;
use super::codings::Coding;
use super::input::{Input, Stop};
use super::zstd::Zstd;
use super::zstd_header::{self, Begin, HEADER_BYTES, TABLES_BYTES};
use crate::blame;
use crate::budget::{Budget, Share};
use crate::fault::Fault;

/// How a member of gzip begins (RFC 1952, 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Decodes one coding.
pub(super) struct Layer {
    /// Which.
    coding: Coding,
    /// How far it is.
    state: State,
    /// Why there are no more bytes to decode.
    stop: Rc<Stop>,
    /// Memory for more than the slot's room.
    memory: Arc<Budget>,
    /// What frames of zstd took of it.
    share: Share,
    /// How much of that their blocks took, in bytes.
    taken: u64,
}

/// How far a layer is.
enum State {
    /// Nothing was decoded yet.
    Begin(Input),
    /// Within a member of gzip.
    Gzip(GzDecoder<Input>),
    /// Within zlib's frame.
    Zlib(ZlibDecoder<Input>),
    /// Within deflate without a frame.
    Deflate(DeflateDecoder<Input>),
    /// Within br.
    Brotli(Box<Brotli>),
    /// Within a frame of zstd.
    Zstd(Box<Zstd>),
    /// There is no more.
    Over,
}

impl Layer {
    /// A layer over what comes from `source`; a large window comes out of `memory`.
    pub(super) fn new(coding: Coding, source: Box<dyn Read>, memory: &Arc<Budget>) -> Self {
        let input = Input::new(source);
        Self {
            coding,
            stop: input.stop(),
            state: State::Begin(input),
            memory: Arc::clone(memory),
            share: memory.share(),
            taken: 0,
        }
    }

    /// Decodes some bytes; 0 at the end of a part.
    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Begin(_) | State::Over => Ok(0),
            State::Gzip(decoder) => decoder.read(buffer),
            State::Zlib(decoder) => decoder.read(buffer),
            State::Deflate(decoder) => decoder.read(buffer),
            State::Brotli(decoder) => decoder.read(buffer),
            State::Zstd(frame) => {
                let taken = &mut self.taken;
                frame.read(buffer, |bytes| take(&mut self.share, taken, bytes))
            }
        }
    }

    /// Goes on to the next part.
    fn advance(&mut self) -> io::Result<()> {
        self.state = match mem::replace(&mut self.state, State::Over) {
            State::Begin(input) => self.begin(input)?,
            State::Gzip(decoder) => Self::next_member(decoder.into_inner())?,
            State::Zlib(decoder) => over(decoder.into_inner())?,
            State::Deflate(decoder) => over(decoder.into_inner())?,
            State::Brotli(decoder) => over(decoder.into_inner())?,
            State::Zstd(decoder) => self.zstd_frame(decoder.into_inner(), false)?,
            State::Over => State::Over,
        };
        Ok(())
    }

    /// Begins to decode. An empty body is empty in any coding.
    fn begin(&mut self, mut input: Input) -> io::Result<State> {
        let start = input.peek(2)?;
        if start.is_empty() {
            return Ok(State::Over);
        }
        Ok(match self.coding {
            Coding::Gzip => State::Gzip(GzDecoder::new(input)),
            Coding::Deflate if is_zlib(start) => State::Zlib(ZlibDecoder::new(input)),
            Coding::Deflate => State::Deflate(DeflateDecoder::new(input)),
            Coding::Brotli => State::Brotli(Box::new(Brotli::new(input, self.memory.share()))),
            Coding::Zstd => self.zstd_frame(input, true)?,
        })
    }

    /// Begins a frame of zstd. What follows the first and is none is passed over.
    fn zstd_frame(&mut self, mut input: Input, first: bool) -> io::Result<State> {
        loop {
            match zstd_header::begin(input.peek(HEADER_BYTES)?) {
                Some(Begin::Frame(bytes)) => {
                    if first {
                        take(&mut self.share, &mut 0, TABLES_BYTES)?;
                    }
                    let room = bytes.saturating_sub(self.taken);
                    return Zstd::new(input, room).map(|frame| State::Zstd(Box::new(frame)));
                }
                Some(Begin::Skippable(bytes)) => input.skip(bytes)?,
                None if first => return Err(ErrorKind::InvalidData.into()),
                None => return over(input),
            }
        }
    }

    /// Goes on with another member. What follows and is none is passed over, as browsers do.
    fn next_member(mut input: Input) -> io::Result<State> {
        if input.peek(GZIP_MAGIC.len())? == GZIP_MAGIC {
            return Ok(State::Gzip(GzDecoder::new(input)));
        }
        over(input)
    }

    /// An error of the decoder, or of what it reads, as the reader of a body takes it.
    fn explain(&self, error: io::Error) -> io::Error {
        if let Some(error) = self.stop.take_error() {
            return error;
        }
        if matches!(error.get_ref(), Some(inner) if inner.is::<ureq::Error>()) {
            return error;
        }
        let cut = match self.coding {
            Coding::Gzip | Coding::Deflate => error.kind() == ErrorKind::UnexpectedEof,
            // these decoders do not say so
            Coding::Brotli | Coding::Zstd => self.stop.ended(),
        };
        let fault = blame::explain_encoding(self.coding.as_str(), cut);
        ureq::Error::from(fault).into_io()
    }
}

impl Read for Layer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.decode(buffer) {
                Ok(0) => {}
                Ok(read) => return Ok(read),
                Err(error) => return Err(self.explain(error)),
            }
            if matches!(self.state, State::Over) {
                return Ok(0);
            }
            if let Err(error) = self.advance() {
                return Err(self.explain(error));
            }
        }
    }
}

/// Takes memory, and counts it.
fn take(share: &mut Share, taken: &mut u64, bytes: u64) -> io::Result<()> {
    *taken += bytes;
    let fault = |spent: &'static str| Fault::here(Reason::LocalResources, spent);
    let taken = share.take(bytes).map_err(fault);
    taken.map_err(|fault| ureq::Error::from(fault).into_io())
}

/// Reads what follows the end of a coding.
fn over(mut input: Input) -> io::Result<State> {
    input.drain().map(|()| State::Over)
}

/// Whether bytes begin zlib's frame (RFC 1950, 2.2). Some servers send deflate without one.
fn is_zlib(start: &[u8]) -> bool {
    match *start {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
