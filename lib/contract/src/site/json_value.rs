//! A value of JSON as people wrote it: every key seen, also twice, and every digit of a number.
//!
//! A value takes ten times the memory of its text or more: `[0,0,0]`. So there are only so many in a text.

use std::borrow::Cow;

use crate::decimal::Decimal;
use crate::json_cursor::{self, Broken, Cursor, Part};

/// The most values of a text, those inside others included: three times what the longest options have.
pub(super) const MAX_VALUES: usize = 1_024;
/// How deep values may lie in each other, as `serde_json` has it.
const MAX_DEPTH: usize = 127;

/// Why a text is not read.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is no JSON, or values lie too deep in it.
    Syntax(String),
    /// It has more than [`MAX_VALUES`] values.
    TooMany,
}

impl From<Broken> for Fault {
    fn from(_: Broken) -> Self {
        Self::Syntax("values lie too deep in each other".to_owned())
    }
}

/// Reads a text of JSON.
pub(super) fn read_json(text: &str) -> Result<Json, Fault> {
    let mut cursor = Cursor::new(text.as_bytes());
    let mut reader = Reader {
        left: MAX_VALUES,
        cursor: &mut cursor,
    };
    let read = reader.value(MAX_DEPTH);
    match read.and_then(|json| Ok(cursor.end().map(|()| json)?)) {
        Err(Fault::Syntax(deep)) => {
            let error = serde_json::from_str::<serde_json::Value>(text).err();
            Err(Fault::Syntax(error.map_or(deep, |error| error.to_string())))
        }
        read => read,
    }
}

/// A value of JSON.
#[derive(Debug)]
pub(super) enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, its keys in order and perhaps repeated.
    Object(Vec<(String, Json)>),
}

/// A value of JSON that has no others in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A string.
    Text(String),
}

/// Reads values of one text.
struct Reader<'r, 't> {
    /// How many more values there may be.
    left: usize,
    /// Where the next one begins.
    cursor: &'r mut Cursor<'t>,
}

impl Reader<'_, '_> {
    /// Reads a value and those inside it, so many levels deep.
    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        self.left = self.left.checked_sub(1).ok_or(Fault::TooMany)?;
        let below = depth.checked_sub(1).ok_or(Broken);
        Ok(match self.cursor.read()? {
            Part::Null => Json::Null,
            Part::Bool(value) => Json::Bool(value),
            Part::Number(text) => Json::Number(Decimal::parse(text).ok_or(Broken)?),
            Part::Text(written) => Json::Text(text(written)?),
            Part::Array => {
                let (below, mut elements) = (below?, Vec::new());
                while self.cursor.next_element(elements.is_empty())? {
                    elements.push(self.value(below)?);
                }
                Json::Array(elements)
            }
            Part::Object => {
                let (below, mut members) = (below?, Vec::new());
                while let Some(name) = self.cursor.next_name(members.is_empty())? {
                    members.push((text(name)?, self.value(below)?));
                }
                Json::Object(members)
            }
        })
    }
}

/// The text of a string.
fn text(written: &[u8]) -> Result<String, Broken> {
    json_cursor::text(written)
        .map(Cow::into_owned)
        .ok_or(Broken)
}
