//! A value of JSON as people wrote it: every key seen, also twice.
//!
//! A value takes ten times the memory of its text or more: `[0,0,0]`. So there are only so many in a text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// The most values of a text, those inside others included: three times what the longest options have.
pub(super) const MAX_VALUES: usize = 1_024;

/// Why a text is not read.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is no JSON.
    Syntax(serde_json::Error),
    /// It has more than [`MAX_VALUES`] values.
    TooMany,
}

/// Reads a text of JSON.
pub(super) fn read_json(text: &str) -> Result<Json, Fault> {
    let mut left = MAX_VALUES;
    let mut document = serde_json::Deserializer::from_str(text);
    let read = Reader { left: &mut left }.deserialize(&mut document);
    match read.and_then(|json| document.end().map(|()| json)) {
        Ok(json) => Ok(json),
        // nothing else stops at that count
        Err(error) if left == 0 && error.is_data() => Err(Fault::TooMany),
        Err(error) => Err(Fault::Syntax(error)),
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
    Number(Number),
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
    Number(Number),
    /// A string.
    Text(String),
}

/// Reads a value and those inside it.
struct Reader<'l> {
    /// How many more values there may be.
    left: &'l mut usize,
}

impl Reader<'_> {
    /// Reads values of the same text.
    fn again(&mut self) -> Reader<'_> {
        Reader { left: self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        match self.left.checked_sub(1) {
            Some(left) => *self.left = left,
            None => return Err(D::Error::custom("too many values")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value).map(Json::Number);
        number.ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(self.again())? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key()? {
            members.push((key, map.next_value_seed(self.again())?));
        }
        Ok(Json::Object(members))
    }
}
