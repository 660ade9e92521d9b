//! A head that the library could not read, as the standard writes it.
//!
//! - A folded line is one line, with one blank at each fold (RFC 9112, 5.2: a user agent must).
//! - Blanks before a colon are taken away, as browsers do.
//! - A line that is no header is passed over with its folds, as browsers do. So is one that begins with a blank right
//!   behind the status line (RFC 9112, 2.2).
//! - A control character in a value is a blank (RFC 9110, 5.5), a CR that ends no line too (RFC 9112, 2.2).
//! - The status line has a version that the library knows, and no reason phrase, which is never read.

use super::field::{Field, is_blank, is_text, without_cr};
use super::status_line::{self, StatusLine};
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// A complete head, tidied. It has at most two bytes more: the version of the status line may be longer.
pub(super) fn tidied(head: &[u8]) -> Result<Vec<u8>, Fault> {
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| without_cr(line.strip_suffix(b"\n").unwrap_or(line)));
    let mut lines = lines.skip_while(|line| line.is_empty());
    let first = status_line::read(lines.next().unwrap_or_default())?;
    let mut tidy = Tidy::begin(first, head.len());
    for line in lines.take_while(|line| !line.is_empty()) {
        tidy.take(line);
    }
    if let Some(line) = tidy.passed_over {
        note(line);
    }
    let mut bytes = tidy.bytes;
    bytes.extend_from_slice(b"\n\n");
    Ok(bytes)
}

/// A head that is being tidied.
#[derive(Debug)]
struct Tidy<'a> {
    /// What was written, without the end of the last line.
    bytes: Vec<u8>,
    /// Whether a fold belongs to the last line that was written.
    in_field: bool,
    /// The first line that was passed over.
    passed_over: Option<&'a [u8]>,
}

impl<'a> Tidy<'a> {
    /// Begins with the status line of a head that had so many bytes.
    fn begin(StatusLine { modern, status }: StatusLine, length: usize) -> Self {
        let mut bytes = Vec::with_capacity(length + 2);
        bytes.extend_from_slice(if modern { b"HTTP/1.1 " } else { b"HTTP/1.0 " });
        bytes.extend_from_slice(status.to_string().as_bytes());
        Self {
            bytes,
            in_field: false,
            passed_over: None,
        }
    }

    /// Takes the next line, without its end.
    fn take(&mut self, line: &'a [u8]) {
        let is_fold = line.first().copied().is_some_and(is_blank);
        match Field::sloppy(line) {
            _ if is_fold && self.in_field => self.fold(line),
            Some(field) => {
                self.in_field = true;
                self.bytes.push(b'\n');
                self.bytes.extend_from_slice(field.name);
                self.bytes.push(b':');
                self.write_text(field.value);
            }
            None => {
                self.in_field = false;
                self.passed_over.get_or_insert(line);
            }
        }
    }

    /// Goes on with the last line: one blank, and what follows the blanks of this one.
    fn fold(&mut self, line: &[u8]) {
        let blanks = self.bytes.iter().rev().take_while(|byte| is_blank(**byte));
        let kept = self.bytes.len() - blanks.count();
        self.bytes.truncate(kept);
        self.bytes.push(b' ');
        let blanks = line.iter().take_while(|byte| is_blank(**byte));
        self.write_text(line.get(blanks.count()..).unwrap_or_default());
    }

    /// Writes a part of a value.
    fn write_text(&mut self, text: &[u8]) {
        let clean = |byte: &u8| if is_text(&[*byte]) { *byte } else { b' ' };
        self.bytes.extend(text.iter().map(clean));
    }
}

/// Notes a line that was passed over, for those that look at this one check.
fn note(line: &[u8]) {
    if observed::with(|observed| observed.watched) {
        let line = quote(line);
        observed::with(|observed| observed.hop().map(|hop| hop.passed_over = Some(line)));
    }
}
