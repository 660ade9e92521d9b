//! JSON as people wrote it, field by field, so that an error names its place.
//!
//! `request` and `expect` are read from this rather than by derived deserializers, which accept an
//! array for an object and cannot say what would be right.

use std::borrow::Cow;
use std::collections::HashSet;

use super::json_value::{Fault, Json, MAX_VALUES, Scalar, read_json};
use super::pattern::{Compiler, Pattern};
use super::template::Template;
use super::{MAX_OPTIONS_BYTES, SiteError};
use crate::decimal::Decimal;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Field {
    /// The key, as a path: `expect.status[1]`.
    key: Cow<'static, str>,
    /// What stands there.
    value: Json,
}

/// An object whose members are taken one by one.
#[derive(Debug)]
pub(super) struct Object {
    /// The key, as a path; empty for none.
    key: Cow<'static, str>,
    /// What has not been taken yet.
    members: Vec<(String, Json)>,
}

impl Field {
    /// Reads a text of JSON; `root` is what errors call it.
    pub(super) fn read(root: &'static str, text: &str) -> Result<Self, SiteError> {
        if text.len() > MAX_OPTIONS_BYTES {
            let message = format!("{} bytes long; at most {MAX_OPTIONS_BYTES}", text.len());
            return Err(SiteError::new(root, message));
        }
        let value = read_json(text).map_err(|error| {
            let message = match error {
                Fault::TooMany => format!("has more than {MAX_VALUES} values; write fewer"),
                Fault::Syntax(error) => format!("is no JSON ({error}); write an object like {{}}"),
            };
            SiteError::new(root, message)
        })?;
        Ok(Self {
            key: root.into(),
            value,
        })
    }

    /// An error at this place.
    pub(super) fn fault(&self, message: impl Into<String>) -> SiteError {
        SiteError::new(&*self.key, message)
    }

    /// An object, without repeated keys; `example` says what would be right.
    pub(super) fn object(self, example: &str) -> Result<Object, SiteError> {
        let Json::Object(members) = self.value else {
            return Err(self.mistyped(example));
        };
        let mut seen = HashSet::new();
        if let Some((key, _)) = members.iter().find(|(key, _)| !seen.insert(key.as_str())) {
            return Err(SiteError::new(
                format!("{}.{key}", self.key),
                "stands there twice; keep one",
            ));
        }
        Ok(Object {
            key: self.key,
            members,
        })
    }

    /// The elements of an array.
    pub(super) fn array(self, example: &str) -> Result<Vec<Self>, SiteError> {
        let Json::Array(elements) = self.value else {
            return Err(self.mistyped(example));
        };
        let key = self.key;
        Ok(elements
            .into_iter()
            .enumerate()
            .map(|(index, value)| Self {
                key: format!("{key}[{index}]").into(),
                value,
            })
            .collect())
    }

    /// A string.
    pub(super) fn text(&self, example: &str) -> Result<&str, SiteError> {
        match &self.value {
            Json::Text(text) => Ok(text),
            _ => Err(self.mistyped(example)),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&self, example: &str) -> Result<u64, SiteError> {
        let whole = match &self.value {
            Json::Number(number) => number.as_str().parse().ok(),
            _ => return Err(self.mistyped(example)),
        };
        whole.ok_or_else(|| {
            self.fault(format!(
                "is a number that is negative or not whole; write {example}"
            ))
        })
    }

    /// A number of any kind.
    pub(super) fn number(&self) -> Result<Decimal, SiteError> {
        match &self.value {
            Json::Number(number) if number.is_too_long() => {
                Err(self.fault("is a number of more than 400 digits; write a shorter one"))
            }
            Json::Number(number) => Ok(number.clone()),
            _ => Err(self.mistyped("a number like 0.5")),
        }
    }

    /// A value that has no others in it.
    pub(super) fn scalar(&self) -> Result<Scalar, SiteError> {
        match &self.value {
            Json::Null => Ok(Scalar::Null),
            Json::Bool(value) => Ok(Scalar::Bool(*value)),
            Json::Number(_) => self.number().map(Scalar::Number),
            Json::Text(text) => Ok(Scalar::Text(text.clone())),
            Json::Array(_) | Json::Object(_) => {
                Err(self.mistyped("a string, a number, true, false or null"))
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn bool(&self) -> Result<bool, SiteError> {
        match self.value {
            Json::Bool(value) => Ok(value),
            _ => Err(self.mistyped("true or false")),
        }
    }

    /// Whether this is a string.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.value, Json::Text(_))
    }

    /// Whether this is a number of any kind.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.value, Json::Number(_))
    }

    /// A string in which secrets may stand.
    pub(super) fn template(&self, example: &str) -> Result<Template, SiteError> {
        Template::parse(self.text(example)?).map_err(|message| self.fault(message))
    }

    /// A regular expression.
    pub(super) fn pattern(&self, compiler: &mut Compiler) -> Result<Pattern, SiteError> {
        compiler
            .compile(self.text("a regular expression in a string")?)
            .map_err(|message| self.fault(message))
    }

    /// What stands there has the wrong type.
    fn mistyped(&self, example: &str) -> SiteError {
        let found = match &self.value {
            Json::Null => "is null",
            Json::Bool(_) => "is true or false",
            Json::Number(_) => "is a number",
            Json::Text(_) => "is a string",
            Json::Array(_) => "is an array",
            Json::Object(_) => "is an object",
        };
        self.fault(format!("{found}; write {example}"))
    }
}

impl Object {
    /// Takes the member `key`.
    pub(super) fn take(&mut self, key: &str) -> Option<Field> {
        let index = self.members.iter().position(|(name, _)| name == key)?;
        let (name, value) = self.members.swap_remove(index);
        Some(self.field(&name, value))
    }

    /// Takes the member `key`, which must be there.
    pub(super) fn need(&mut self, key: &str) -> Result<Field, SiteError> {
        self.take(key)
            .ok_or_else(|| SiteError::new(&*self.key, format!("lacks {key}; add it")))
    }

    /// Takes the only member, which must be one of `known`.
    pub(super) fn only(mut self, known: &[&str]) -> Result<(String, Field), SiteError> {
        self.refuse_unknown(known)?;
        match (self.members.pop(), self.members.is_empty()) {
            (Some((name, value)), true) => {
                let field = self.field(&name, value);
                Ok((name, field))
            }
            _ => Err(SiteError::new(
                &*self.key,
                format!("needs exactly one of {}", known.join(", ")),
            )),
        }
    }

    /// All members in order.
    pub(super) fn into_members(self) -> impl Iterator<Item = (String, Field)> {
        let key = self.key;
        self.members.into_iter().map(move |(name, value)| {
            let key = format!("{key}.{name}").into();
            (name, Field { key, value })
        })
    }

    /// Refuses members that are not among `known`.
    pub(super) fn refuse_unknown(&self, known: &[&str]) -> Result<(), SiteError> {
        match self
            .members
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) => Err(SiteError::new(
                format!("{}.{name}", self.key),
                format!("unknown key; known are {}", known.join(", ")),
            )),
        }
    }

    /// A member as a field.
    fn field(&self, name: &str, value: Json) -> Field {
        Field {
            key: format!("{}.{name}", self.key).into(),
            value,
        }
    }
}
