//! Frames of zstd, a block at a time.
//!
//! The library keeps what was decoded until there is more than the frame's window. So memory is taken as blocks come:
//! a small body takes little of it, whatever window its frame names.

use std::io::{self, ErrorKind, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::Input;
use super::zstd_header::{BLOCK_BYTES, MOST};

/// A frame that is being decoded.
pub(super) struct Zstd {
    /// Decodes it.
    decoder: FrameDecoder,
    /// Where it comes from.
    input: Input,
    /// How much memory the blocks may yet take, in bytes.
    room: u64,
}

impl Zstd {
    /// A frame that begins at `input`, whose blocks take so many bytes at most.
    pub(super) fn new(mut input: Input, room: u64) -> io::Result<Self> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST);
        match decoder.init(&mut input) {
            Ok(()) => Ok(Self {
                decoder,
                input,
                room,
            }),
            Err(_) => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Reads decoded bytes, 0 at the end of the frame; `take` takes memory for another block.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let more = BLOCK_BYTES.min(self.room);
            take(more)?;
            self.room -= more;
            let one = BlockDecodingStrategy::UptoBlocks(1);
            if self.decoder.decode_blocks(&mut self.input, one).is_err() {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        self.decoder.read(buffer)
    }

    /// What follows the frame.
    pub(super) fn into_inner(self) -> Input {
        self.input
    }
}
