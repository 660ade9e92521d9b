//! Bytes between the HTTP library and a connection: no more room than they need.
//!
//! There are thousands of connections at once, so buffers begin small. Most responses fit; where one
//! does not, the input grows, to the longest head that is taken. A thread keeps its small buffers for its
//! next connection: to allocate, clear and free them would cost more than a response takes to read.

use std::cell::RefCell;
use std::mem;

use contract::site::header::MAX_HEADER_LINE_BYTES;
use ureq::unversioned::transport::Buffers;

use crate::observed;

/// The input's room at first, in bytes.
const INPUT_FIRST: usize = 2 * 1024;
/// The most room of the input, and with it the longest head of a response, in bytes.
const INPUT_MOST: usize = 16 * 1024;
/// The output's room for a head, in bytes, unless one of its lines is longer.
const OUTPUT_HEAD: usize = 1024;
/// The output's room for a body, in bytes.
const OUTPUT_BODY: usize = 4 * 1024;
/// The most room of both, in bytes.
pub(super) const MOST_BYTES: usize = INPUT_MOST + MAX_HEADER_LINE_BYTES + OUTPUT_BODY;
/// Room beside the longest line: the empty line that ends the head.
const LINE_SLACK: usize = 16;

thread_local! {
    /// The input and output of this thread's last connection.
    static KEPT: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// The buffers of a connection.
#[derive(Debug)]
pub(crate) struct GrowingBuffers {
    /// Bytes that came, those from `start` to `end`; the rest is room.
    input: Vec<u8>,
    /// Where those begin that were not used.
    start: usize,
    /// Where they end.
    end: usize,
    /// How many of them the library sees, unless it is all.
    shown: Option<usize>,
    /// Bytes to send.
    output: Vec<u8>,
    /// Whether the library could use what came.
    used: bool,
}

impl Default for GrowingBuffers {
    fn default() -> Self {
        let (input, output) = KEPT.take();
        Self {
            input,
            start: 0,
            end: 0,
            shown: None,
            output,
            used: false,
        }
    }
}

impl Drop for GrowingBuffers {
    fn drop(&mut self) {
        let (input, output) = (mem::take(&mut self.input), mem::take(&mut self.output));
        let small = |buffer: Vec<u8>, most| {
            if buffer.len() <= most {
                buffer
            } else {
                Vec::new()
            }
        };
        KEPT.set((small(input, INPUT_FIRST), small(output, OUTPUT_HEAD)));
    }
}

impl GrowingBuffers {
    /// All bytes that came and were not used, those too that the library does not see.
    pub(super) fn all(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// The same, to be changed.
    pub(super) fn all_mut(&mut self) -> &mut [u8] {
        let all = self.start..self.end;
        self.input.get_mut(all).unwrap_or_default()
    }

    /// Lets the library see so many of them; without a number all, and all that come.
    pub(super) fn show(&mut self, shown: Option<usize>) {
        self.shown = shown;
    }

    /// Passes over so many of them, which the library did not see.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end, "more passed over than there was");
    }

    /// Puts other bytes in the place of so many.
    pub(super) fn replace(&mut self, bytes: usize, by: &[u8]) {
        let begin = self.end.min(self.start + bytes);
        match begin.checked_sub(by.len()) {
            // right in front of what follows
            Some(start) if start >= self.start => {
                if let Some(place) = self.input.get_mut(start..begin) {
                    place.copy_from_slice(by);
                }
                self.start = start;
            }
            _ => {
                self.input.reserve_exact(by.len().saturating_sub(bytes));
                self.input.splice(self.start..begin, by.iter().copied());
                self.end = self.start + by.len() + (self.end - begin);
            }
        }
    }

    /// Makes room in the input if there is none, and more if the last bytes took all there was.
    fn make_room(&mut self) {
        let room = self.input.len();
        let filled = self.end == room;
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if filled && room < INPUT_MOST {
            self.input
                .resize((2 * room).clamp(INPUT_FIRST, INPUT_MOST), 0);
        }
    }

    /// The output, with so much room at least.
    fn output_of(&mut self, bytes: usize) -> &mut [u8] {
        if self.output.len() < bytes {
            self.output.resize(bytes, 0);
        }
        &mut self.output
    }
}

impl Buffers for GrowingBuffers {
    fn output(&mut self) -> &mut [u8] {
        // a line of the head must fit as a whole
        let line = observed::with(|observed| observed.longest_line);
        self.output_of(OUTPUT_HEAD.max(line + LINE_SLACK))
    }

    fn input(&self) -> &[u8] {
        let all = self.all();
        match self.shown {
            None => all,
            Some(shown) => all.get(..shown).unwrap_or(all),
        }
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        self.input.get_mut(self.end..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.end += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.used = amount > 0;
        self.start += amount;
        if let Some(shown) = &mut self.shown {
            *shown = shown.saturating_sub(amount);
        }
        debug_assert!(self.start <= self.end, "more used than there was");
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.output_of(OUTPUT_BODY);
        self.make_room();
        let room = self.input.get_mut(self.end..).unwrap_or_default();
        (room, &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.used && !self.input().is_empty()
    }
}

#[cfg(test)]
#[path = "buffers_tests.rs"]
mod tests;
