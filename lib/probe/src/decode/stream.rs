//! A body as it comes, without its codings.

use std::io::{self, Read};
use std::sync::Arc;

use contract::outcome::Reason;
use ureq::http::{HeaderMap, header};
use ureq::{Body, BodyReader};

use super::codings::{self, Coding, Unknown};
use super::input::BUFFER_BYTES;
use super::layer::Layer;
use crate::budget::{Budget, Share};
use crate::fault::Fault;

/// What decoding gzip or deflate takes, in bytes: 32 KiB that may be repeated, tables, and a buffer. A slot has room
/// for one such decoder.
pub(crate) const DECODER_BYTES: usize = (44 << 10) + BUFFER_BYTES;

/// A body as it comes.
pub(crate) enum Stream {
    /// Without a coding.
    Plain(BodyReader<'static>),
    /// With codings.
    Coded {
        /// Takes them away.
        decoder: Box<dyn Read>,
        /// Memory of its own.
        _share: Share,
    },
    /// With a coding that cannot be decoded, but would have to be.
    Unknown(BodyReader<'static>, Unknown),
}

impl Stream {
    /// The body of a response with this head. `needed` says that something is expected of the decoded bytes; what
    /// decoders take beyond the slot's room comes out of `memory`.
    pub(crate) fn new(
        body: Body,
        headers: &HeaderMap,
        needed: bool,
        memory: &Arc<Budget>,
    ) -> Result<Self, Fault> {
        let reader = body.into_reader();
        if !headers.contains_key(header::CONTENT_ENCODING) {
            return Ok(Self::Plain(reader));
        }
        match codings::of(headers) {
            Ok(codings) if codings.is_empty() => Ok(Self::Plain(reader)),
            Ok(codings) => Self::coded(reader, &codings, memory),
            Err(_) if !needed => Ok(Self::Plain(reader)),
            Err(unknown) => Ok(Self::Unknown(reader, unknown)),
        }
    }

    /// A body with these codings.
    #[inline(never)]
    fn coded(
        reader: BodyReader<'static>,
        codings: &[Coding],
        memory: &Arc<Budget>,
    ) -> Result<Self, Fault> {
        let mut share = memory.share();
        let beyond = DECODER_BYTES * codings.len().saturating_sub(1);
        share
            .take(u64::try_from(beyond).unwrap_or(u64::MAX))
            .map_err(|spent| Fault::here(Reason::LocalResources, spent))?;
        let mut decoder: Box<dyn Read> = Box::new(reader);
        for coding in codings.iter().rev() {
            decoder = Box::new(Layer::new(*coding, decoder, memory));
        }
        Ok(Self::Coded {
            decoder,
            _share: share,
        })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Coded { decoder, .. } => decoder.read(buffer),
            Self::Unknown(reader, unknown) => match reader.read(buffer)? {
                0 => Ok(0),
                _ => Err(ureq::Error::from(undecodable(unknown)).into_io()),
            },
        }
    }
}

/// A body that would have to be decoded.
fn undecodable(Unknown(coding): &Unknown) -> Fault {
    let message = format!(
        "the body is coded {coding}, and an expectation needs what is in it; \
         webmon decodes gzip, deflate, br and zstd"
    );
    Fault::here(Reason::Encoding, message)
}
