//! The head of a response, as the library can read it.
//!
//! Nearly all heads are plain: they are scanned once as they come, and stay as they are. One that is not is
//! [tidied](tidy) first. What the head says of the body's end is [judged](framing), as two parts that understand it
//! differently are what attacks are made of (RFC 9112, 11.2).
//!
//! Interim responses (RFC 9110, 15.2) are passed over, with all their headers.

mod field;
pub(crate) mod framing;
mod status_line;
mod tidy;

use contract::outcome::Reason;
use memchr::memchr;
use ureq::http::Method;

use self::field::Field;
pub(super) use self::field::without_cr;
use super::buffers::GrowingBuffers;
use super::strangers;
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// The most header lines, which are what the library has room for.
const MOST_FIELDS: u16 = 128;

/// A head of which not all came yet.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the first line begins that is not complete.
    line: usize,
    /// The status, once its line is complete.
    status: Option<u16>,
    /// How many header lines there are.
    fields: u16,
    /// Whether the library cannot read all as it is.
    sloppy: bool,
    /// Whether a header says how long the body is.
    length: bool,
    /// Whether more than one plain number says where the body ends.
    framed: bool,
}

/// A head that the library can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// How many bytes it has.
    pub(super) bytes: usize,
    /// Whether the body behind it is in chunks; the library sees no header that says so.
    pub(super) chunked: bool,
}

/// Takes the head from the first bytes that came, once it is complete.
pub(super) fn take(scan: &mut Scan, buffers: &mut GrowingBuffers) -> Result<Option<Head>, Fault> {
    loop {
        let end = scan
            .go_on(buffers.all())
            .inspect_err(|_| scan.note_status())?;
        let Some(end) = end else {
            return Ok(None);
        };
        if scan.is_interim() {
            buffers.skip(end);
            *scan = Scan::default();
            continue;
        }
        if !scan.sloppy && !scan.framed {
            let (bytes, chunked) = (end, false);
            return Ok(Some(Head { bytes, chunked }));
        }
        let head = prepare(scan, buffers, end).inspect_err(|_| scan.note_status())?;
        return Ok(Some(head));
    }
}

/// Makes a head of so many bytes what the library can read.
#[inline(never)]
fn prepare(scan: &Scan, buffers: &mut GrowingBuffers, end: usize) -> Result<Head, Fault> {
    let mut bytes = end;
    if scan.sloppy {
        let tidied = tidy::tidied(buffers.all().get(..end).unwrap_or_default())?;
        buffers.replace(end, &tidied);
        bytes = tidied.len();
    }
    let head = buffers.all_mut().get_mut(..bytes).unwrap_or_default();
    let bodiless = scan.is_bodiless();
    let chunked = !bodiless && framing::is_chunked(head)?;
    if chunked || bodiless {
        framing::hide(head);
    }
    Ok(Head { bytes, chunked })
}

impl Scan {
    /// Goes on with all bytes that came; how many the head has, once it is complete.
    fn go_on(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        loop {
            let rest = bytes.get(self.line..).unwrap_or_default();
            // there may be empty lines before the status line
            if self.status.is_none() && !matches!(rest, [] | [b'\r' | b'\n', ..]) {
                strangers::refuse(rest)?;
            }
            let Some(length) = memchr(b'\n', rest) else {
                return Ok(None);
            };
            let line = rest.get(..length).unwrap_or_default();
            self.line += length + 1;
            let last = match self.status {
                None => self.take_first(line).map(|()| false),
                Some(_) => self.take_field(line),
            };
            if last? {
                return Ok(Some(self.line));
            }
        }
    }

    /// The status line, or an empty one before it.
    fn take_first(&mut self, line: &[u8]) -> Result<(), Fault> {
        if let Some(status) = status_line::plain(line) {
            self.status = Some(status);
            return Ok(());
        }
        self.sloppy = true;
        if !without_cr(line).is_empty() {
            self.status = Some(status_line::read(line)?.status);
            refuse_nul(line)?;
        }
        Ok(())
    }

    /// A header line, or another one in its place; whether it is the empty one at the end.
    fn take_field(&mut self, line: &[u8]) -> Result<bool, Fault> {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        if text.is_empty() {
            return Ok(true);
        }
        if let Some(field) = Field::plain(text) {
            return self.count(field).map(|()| false);
        }
        self.sloppy = true;
        refuse_nul(line)?;
        let text = without_cr(line);
        if let Some(field) = Field::sloppy(text) {
            self.count(field)?;
        }
        Ok(text.is_empty())
    }

    /// Counts a header line, and looks whether it says where the body ends.
    fn count(&mut self, field: Field<'_>) -> Result<(), Fault> {
        self.fields += 1;
        if self.fields > MOST_FIELDS {
            let message = format!("the response has more than {MOST_FIELDS} header lines");
            return Err(Fault::here(Reason::TooLarge, message));
        }
        if field.is_length() {
            self.framed |= self.length || !framing::is_plain_length(field.value);
            self.length = true;
        }
        self.framed |= field.is_coding();
        Ok(())
    }

    /// Whether the answer is still to come behind this head. Behind 101 there is none.
    fn is_interim(&self) -> bool {
        matches!(self.status, Some(100 | 102..=199))
    }

    /// Whether the response has no body, whatever its headers say (RFC 9112, 6.3).
    fn is_bodiless(&self) -> bool {
        let no_status = matches!(self.status, Some(204 | 304));
        no_status
            || observed::with(|observed| {
                observed.hop().is_some_and(|hop| hop.method == Method::HEAD)
            })
    }

    /// Notes the status of a response that is refused.
    #[inline(never)]
    pub(super) fn note_status(&self) {
        if !self.is_interim() {
            observed::with(|observed| observed.hop().map(|hop| hop.status = self.status));
        }
    }
}

/// Refuses a line with a byte that no reader takes for a part of it (RFC 9110, 5.5).
fn refuse_nul(line: &[u8]) -> Result<(), Fault> {
    if memchr(0, line).is_none() {
        return Ok(());
    }
    let message = format!(
        "a line of the response's head has a zero byte: {}",
        quote(without_cr(line))
    );
    Err(Fault::here(Reason::Protocol, message))
}

#[cfg(test)]
mod tests;
