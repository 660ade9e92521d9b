//! Bytes → characters, read a block at a time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use super::YamlError;

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 64 << 10;
/// The longest value, or comment, in characters: the parser holds the whole of it.
pub const MAX_VALUE_CHARS: usize = 4 << 20;

/// What stopped the characters, and how many were taken since the last event: shared with the parser's
/// owner, as the parser keeps the characters to itself.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Why there are no more characters, if it is not the end of the text.
    pub(super) trouble: Option<YamlError>,
    /// Characters since the last event.
    pub(super) since_event: usize,
}

/// The characters of a text.
#[derive(Debug)]
pub(super) struct Text<R> {
    /// Where the bytes come from.
    source: R,
    /// Bytes that were read and not yet decoded.
    bytes: Vec<u8>,
    /// Characters that were decoded and not yet taken.
    decoded: VecDeque<char>,
    /// The line of the next character, from 1.
    line: usize,
    /// Whether nothing was read yet.
    begins: bool,
    /// What is shared.
    progress: Rc<RefCell<Progress>>,
}

impl<R: Read> Text<R> {
    /// The text in `source`.
    pub(super) fn new(source: R, progress: Rc<RefCell<Progress>>) -> Self {
        Self {
            source,
            bytes: Vec::new(),
            decoded: VecDeque::new(),
            line: 1,
            begins: true,
            progress,
        }
    }

    /// Reads and decodes a block; false at the end.
    fn read_block(&mut self) -> Result<bool, YamlError> {
        let held = self.bytes.len();
        let block = BLOCK_BYTES as u64;
        let read = (&mut self.source)
            .take(block)
            .read_to_end(&mut self.bytes)?;
        if self.begins {
            self.begins = false;
            self.strip_mark()?;
        }
        if read == 0 {
            return if held == 0 {
                Ok(false)
            } else {
                Err(not_text())
            };
        }
        let (text, rest) = match std::str::from_utf8(&self.bytes) {
            Ok(text) => (text, self.bytes.len()),
            Err(error) if error.error_len().is_some() => return Err(not_text()),
            Err(error) => {
                let whole = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(whole).unwrap_or_default(), whole.len())
            }
        };
        self.decoded.extend(text.chars());
        self.bytes.drain(..rest);
        Ok(true)
    }

    /// Takes the mark away that some editors put before a text, and names that of an encoding which is not
    /// read.
    fn strip_mark(&mut self) -> Result<(), YamlError> {
        // with its mark, or with a letter that takes two bytes
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] =
            self.bytes.as_slice()
        {
            let message = "the text is UTF-16; save the file as UTF-8";
            return Err(YamlError::Refused(message.to_owned()));
        }
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.bytes.drain(..3);
        }
        Ok(())
    }

    /// Takes note of a character that was taken, and refuses what no text of YAML has.
    fn pass(&mut self, c: char) -> Result<(), YamlError> {
        let line = self.line;
        if c == '\0' {
            let message = format!(
                "a NUL character at line {line}: this is no text, or UTF-16; save the file as UTF-8"
            );
            return Err(YamlError::Refused(message));
        }
        let raw = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
        if (c.is_control() && !raw) || matches!(c, '\u{fffe}' | '\u{ffff}') {
            let code = u32::from(c);
            let message = format!(
                "the control character U+{code:04X} at line {line}; write \"\\u{code:04X}\" in double quotes"
            );
            return Err(YamlError::Refused(message));
        }
        if c == '\n' {
            self.line = self.line.saturating_add(1);
        }
        let mut progress = self.progress.borrow_mut();
        progress.since_event = progress.since_event.saturating_add(1);
        if progress.since_event > MAX_VALUE_CHARS {
            let message = format!(
                "a value or comment of more than {MAX_VALUE_CHARS} characters ends at line {line}"
            );
            return Err(YamlError::Refused(message));
        }
        Ok(())
    }

    /// The next character, if there is one.
    fn take(&mut self) -> Result<Option<char>, YamlError> {
        while self.decoded.is_empty() {
            if !self.read_block()? {
                return Ok(None);
            }
        }
        let next = self.decoded.pop_front();
        next.map_or(Ok(()), |c| self.pass(c))?;
        Ok(next)
    }
}

impl<R: Read> Iterator for Text<R> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.progress.borrow().trouble.is_some() {
            return None;
        }
        match self.take() {
            Ok(next) => next,
            Err(error) => {
                self.progress.borrow_mut().trouble = Some(error);
                None
            }
        }
    }
}

/// The bytes are no UTF-8.
fn not_text() -> YamlError {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "stream did not contain valid UTF-8",
    )
    .into()
}
