//! A text of JSON, read one part at a time.
//!
//! `serde_json` says what a value is and where it ends; what is added here is that a number keeps its digits, and a
//! string its escapes. A reader goes through objects and arrays member by member, and skips what it does not want.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// A place in a text of JSON.
#[derive(Clone, Debug)]
pub struct Cursor<'t> {
    /// What comes from here on.
    rest: &'t [u8],
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(&'t str),
    /// A string as it is written, with its quotes.
    Text(&'t [u8]),
    /// An array, whose elements come next.
    Array,
    /// An object, whose members come next.
    Object,
}

/// Here the text is no JSON, or ends too early; reading all of it with `serde_json` tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl<'t> Cursor<'t> {
    /// The start of a text.
    pub fn new(text: &'t [u8]) -> Self {
        Self { rest: text }
    }

    /// Reads a value; of an array or object only that it begins.
    pub fn read(&mut self) -> Result<Part<'t>, Broken> {
        match self.peek() {
            Some(b'{') => {
                self.step();
                Ok(Part::Object)
            }
            Some(b'[') => {
                self.step();
                Ok(Part::Array)
            }
            _ => scalar(self.skip()?),
        }
    }

    /// Goes past a value of any kind, at any depth; what was passed.
    pub fn skip(&mut self) -> Result<&'t [u8], Broken> {
        self.peek();
        let text = serde_json::Deserializer::from_slice(self.rest);
        let mut values = text.into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(IgnoredAny)) => self.take(values.byte_offset()),
            _ => Err(Broken),
        }
    }

    /// Goes to the next element of an array, or past its end; whether there is one. `first` says that none was read.
    pub fn next_element(&mut self, first: bool) -> Result<bool, Broken> {
        self.next(b']', first)
    }

    /// Goes to the next member of an object, and past its name; the name as it is written, with its quotes.
    pub fn next_name(&mut self, first: bool) -> Result<Option<&'t [u8]>, Broken> {
        if !self.next(b'}', first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(Broken);
        }
        let name = self.skip()?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Makes sure that nothing follows.
    pub fn end(&mut self) -> Result<(), Broken> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Broken),
        }
    }

    /// Goes past a comma, unless nothing was read, or past the end of an array or object.
    fn next(&mut self, end: u8, first: bool) -> Result<bool, Broken> {
        if self.peek() == Some(end) {
            self.step();
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        self.expect(b',').map(|()| true)
    }

    /// Goes past a byte that must come next.
    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek() != Some(byte) {
            return Err(Broken);
        }
        self.step();
        Ok(())
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        while let Some((b' ' | b'\n' | b'\t' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    /// Goes past the next byte.
    fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Goes past so many bytes.
    fn take(&mut self, bytes: usize) -> Result<&'t [u8], Broken> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Broken)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// The text of a string that is written like this; none if it has bytes that are no UTF-8, or half a character as
/// an escape.
pub fn text(written: &[u8]) -> Option<Cow<'_, str>> {
    if written.contains(&b'\\') {
        return serde_json::from_slice(written).ok().map(Cow::Owned);
    }
    let inside = written.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    str::from_utf8(inside).ok().map(Cow::Borrowed)
}

/// The kind of a value that has no others in it.
fn scalar(written: &[u8]) -> Result<Part<'_>, Broken> {
    match written {
        b"null" => Ok(Part::Null),
        b"true" => Ok(Part::Bool(true)),
        b"false" => Ok(Part::Bool(false)),
        [b'"', ..] => Ok(Part::Text(written)),
        _ => str::from_utf8(written)
            .map(Part::Number)
            .map_err(|_| Broken),
    }
}

#[cfg(test)]
#[path = "json_cursor_tests.rs"]
mod tests;
