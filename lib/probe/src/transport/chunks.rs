//! A body in chunks (RFC 9112, 7.1): where its data stands between the lines with the sizes.
//!
//! As curl and browsers read them, lines may end with LF alone, and blanks and extensions of any kind may stand behind
//! a size. A line must fit the input's room.

use contract::outcome::Reason;
use memchr::memchr;

use super::head::without_cr;
use crate::fault::Fault;
use crate::redact::quote;

/// What comes next of a body in chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    /// The line with the size of a chunk.
    #[default]
    Size,
    /// So many bytes of data.
    Data(u64),
    /// The line end behind the data.
    LineEnd,
    /// A line of the trailer, which an empty one ends.
    Trailer,
    /// Nothing.
    Nothing,
}

/// What the first bytes of those that came are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many are no data.
    Skip(usize),
    /// So many are data.
    Data(usize),
    /// Too few to tell.
    More,
    /// The body has ended before them.
    End,
}

impl Chunks {
    /// Whether all data came; a trailer may still be missing.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Trailer | Self::Nothing)
    }

    /// What the first of these bytes are.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        match *self {
            Self::Size => self.take_size(bytes),
            Self::Data(left) => Ok(self.take_data(left, bytes)),
            Self::LineEnd => self.take_line_end(bytes),
            Self::Trailer => Ok(self.take_trailer(bytes)),
            Self::Nothing => Ok(Step::End),
        }
    }

    /// The line with a size. One that is none is refused before its end comes.
    fn take_size(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let line = Line::of(bytes);
        let size = size(line).ok_or_else(|| {
            let line = quote(without_cr(line.text));
            let message = format!("a chunk of the body has no size: its line is {line}");
            Fault::here(Reason::Protocol, message)
        })?;
        Ok(self.pass(
            line,
            if size == 0 {
                Self::Trailer
            } else {
                Self::Data(size)
            },
        ))
    }

    /// Data, of which so much is left.
    fn take_data(&mut self, left: u64, bytes: &[u8]) -> Step {
        if bytes.is_empty() {
            return Step::More;
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let taken = bytes.len().min(most);
        *self = match left - u64::try_from(taken).unwrap_or(left) {
            0 => Self::LineEnd,
            left => Self::Data(left),
        };
        Step::Data(taken)
    }

    /// The line end behind a chunk's data.
    fn take_line_end(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let line = Line::of(bytes);
        let more = without_cr(line.text);
        if !more.is_empty() {
            let more = quote(more);
            let message = format!("a chunk of the body has no line end behind it, but {more}");
            return Err(Fault::here(Reason::Protocol, message));
        }
        Ok(self.pass(line, Self::Size))
    }

    /// A line of the trailer, whatever it is.
    fn take_trailer(&mut self, bytes: &[u8]) -> Step {
        let line = Line::of(bytes);
        let last = without_cr(line.text).is_empty();
        self.pass(line, if last { Self::Nothing } else { Self::Trailer })
    }

    /// Passes over a line that is whole.
    fn pass(&mut self, line: Line<'_>, next: Self) -> Step {
        if !line.whole {
            return Step::More;
        }
        *self = next;
        Step::Skip(line.text.len() + 1)
    }
}

/// The first line of some bytes.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    /// Its bytes without LF, as far as they came.
    text: &'a [u8],
    /// Whether all came.
    whole: bool,
}

impl<'a> Line<'a> {
    /// The first line of `bytes`.
    fn of(bytes: &'a [u8]) -> Self {
        let end = memchr(b'\n', bytes);
        Self {
            text: bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes),
            whole: end.is_some(),
        }
    }
}

/// The size that a line says; `None` if it can be none, whatever is still to come of it. It is 0 before its first
/// digit.
fn size(line: Line<'_>) -> Option<u64> {
    let text = line.text.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit());
    let (number, rest) = text.split_at_checked(digits.count())?;
    let rest = rest.trim_ascii_start();
    let missing = number.is_empty() && (line.whole || !rest.is_empty());
    if missing || !matches!(rest, [] | [b';', ..]) {
        return None;
    }
    number.iter().try_fold(0_u64, |size, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        size.checked_mul(16)?.checked_add(digit.into())
    })
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
