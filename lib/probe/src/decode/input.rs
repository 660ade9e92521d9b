//! What a decoder reads: a buffer over what comes.

use std::cell::Cell;
use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;

/// How many bytes are read at a time.
pub(super) const BUFFER_BYTES: usize = 4 << 10;

/// Why there is no more, for the layer whose decoder reads it: some decoders wrap errors, and hide them.
#[derive(Default)]
pub(super) struct Stop {
    /// The error of what is read.
    error: Cell<Option<io::Error>>,
    /// Whether its end was read.
    ended: Cell<bool>,
}

/// Bytes that come, a buffer at a time.
pub(super) struct Input {
    /// Where they come from.
    source: Box<dyn Read>,
    /// Bytes that came, those from `start` to `end`; the rest is room.
    buffer: Box<[u8]>,
    /// Where those begin that were not used.
    start: usize,
    /// Where they end.
    end: usize,
    /// Why there is no more.
    stop: Rc<Stop>,
}

impl Stop {
    /// The error of what is read, if there was one.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.take()
    }

    /// Whether the end of what is read was met.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }
}

impl Input {
    /// A buffer over `source`.
    pub(super) fn new(source: Box<dyn Read>) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES].into(),
            start: 0,
            end: 0,
            stop: Rc::default(),
        }
    }

    /// Tells why there is no more, when there is no more.
    pub(super) fn stop(&self) -> Rc<Stop> {
        Rc::clone(&self.stop)
    }

    /// The next bytes without using them: so many, or fewer at the end.
    pub(super) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end < bytes.min(BUFFER_BYTES) && self.more()? > 0 {}
        Ok(self.unused(bytes))
    }

    /// Passes over so many bytes, or all that there are.
    pub(super) fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0 && !self.fill_buf()?.is_empty() {
            let most = usize::try_from(bytes).unwrap_or(usize::MAX);
            let passed = most.min(self.end - self.start);
            self.consume(passed);
            bytes = bytes.saturating_sub(u64::try_from(passed).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Reads to the end, and forgets what comes.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        while !self.fill_buf()?.is_empty() {
            self.start = self.end;
        }
        Ok(())
    }

    /// Reads into the room behind the buffer's bytes; how many came.
    fn more(&mut self) -> io::Result<usize> {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.source.read(room) {
            Ok(read) => {
                self.stop.ended.set(read == 0);
                self.end += read;
                Ok(read)
            }
            Err(error) => {
                self.stop.error.set(Some(error));
                Err(ErrorKind::Other.into())
            }
        }
    }

    /// Bytes that were not used, so many at most.
    fn unused(&self, most: usize) -> &[u8] {
        let unused = self.buffer.get(self.start..self.end).unwrap_or_default();
        unused.get(..most).unwrap_or(unused)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.more()?;
        }
        Ok(self.unused(BUFFER_BYTES))
    }

    fn consume(&mut self, bytes: usize) {
        self.start = self.end.min(self.start + bytes);
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
