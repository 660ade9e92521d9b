//! What YAML can say, before it means anything.
//!
//! YAML can say more than JSON: keys that are no text, a key twice, `.nan`, tags. Reading straight into
//! the types that are wanted would stop at the first oddity, or change it without a word (serde makes
//! null of `.nan`, and drops the first of two equal keys). So everything is taken as it stands, and an
//! oddity becomes a fault of the site that holds it, beside all other faults.

use std::fmt;

use contract::decimal::Decimal;
use contract::site::SiteError;
use serde::Deserialize;
use serde::de::{
    Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use super::variables::{takes_secrets, unescaped};

/// A value of a YAML file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// `null`, `~`, or nothing at all after a key.
    Nothing,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON has too.
    Number(Number),
    /// Text that `PostgreSQL` can store.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Keys and values as written: keys of any kind, and perhaps more than once.
    Map(Vec<(Self, Self)>),
    /// What JSON or `PostgreSQL` cannot say, with the remedy.
    Odd(String),
}

impl Node {
    /// A text, if `PostgreSQL` can store it.
    pub(crate) fn text(text: String) -> Self {
        if text.contains('\0') {
            let fault = "holds a NUL character, which PostgreSQL cannot store; leave it out";
            Self::Odd(fault.to_owned())
        } else {
            Self::Text(text)
        }
    }

    /// A number that is written as JSON has it, with all its digits.
    pub(crate) fn number(text: &str) -> Self {
        match (Decimal::parse(text), text.parse()) {
            (Some(number), Ok(value)) if !number.is_too_long() => Self::Number(value),
            _ => Self::Odd("is a number of more than 400 digits; write a shorter one".to_owned()),
        }
    }

    /// What has a tag that YAML does not define.
    pub(crate) fn tagged(tag: &str) -> Self {
        Self::Odd(format!(
            "has the tag !{tag}, which means nothing here; leave it out"
        ))
    }

    /// The value as JSON; `key` is its path, for the fault.
    pub(crate) fn into_json(self, key: &str) -> Result<Value, SiteError> {
        Ok(match self {
            Self::Nothing => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(value) => {
                let text = unescaped(&value, takes_secrets(key))
                    .map_err(|fault| SiteError::new(key, fault))?;
                Value::String(text.into_owned())
            }
            Self::List(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| item.into_json(&format!("{key}[{index}]")))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(entries) => Value::Object(into_object(entries, key)?),
            Self::Odd(fault) => return Err(SiteError::new(key, fault)),
        })
    }
}

/// Entries of a map as a JSON object; `key` is the path of the map.
pub(crate) fn into_object(
    entries: Vec<(Node, Node)>,
    key: &str,
) -> Result<Map<String, Value>, SiteError> {
    let mut object = Map::new();
    for (name, value) in entries {
        let name = key_text(name).map_err(|fault| SiteError::new(key, fault))?;
        let name = unescaped(&name, takes_secrets(key))
            .map_err(|fault| SiteError::new(format!("{key}.{name}"), fault))?
            .into_owned();
        let path = format!("{key}.{name}");
        let value = value.into_json(&path)?;
        if object.insert(name, value).is_some() {
            return Err(SiteError::new(path, "is there twice; keep one"));
        }
    }
    Ok(object)
}

/// The text of a key, or what is wrong with it.
pub(crate) fn key_text(key: Node) -> Result<String, String> {
    match key {
        Node::Text(text) => Ok(text),
        Node::Odd(fault) => Err(format!("a key {fault}")),
        Node::Bool(_) | Node::Number(_) => Err(format!("the key {key} is no text; quote it")),
        Node::Nothing | Node::List(_) | Node::Map(_) => {
            Err(format!("{key} is no key; keys are text"))
        }
    }
}

/// What the value is, for a sentence such as `12 is no text`.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a map"),
            Self::Odd(fault) => f.write_str(fault),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsItStands)
    }
}

/// Takes whatever comes.
struct AsItStands;

impl<'de> Visitor<'de> for AsItStands {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        Ok(Node::number(&value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        Ok(Node::number(&value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or_else(
            || Node::Odd(format!("{value} is no number that JSON has; quote it")),
            Node::Number,
        ))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }

    /// A tag such as `!shop`: serde takes it for the variant of an enum.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        content.newtype_variant::<IgnoredAny>()?;
        Ok(Node::tagged(&tag))
    }
}
