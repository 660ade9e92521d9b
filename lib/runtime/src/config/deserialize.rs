//! A value that knows where it stands: a serde data format of our own.
//!
//! Deserializing through serde's stock formats would name the value in an error, and lose the key.
//! Here an error names the key, as a path, and never the value.

use std::vec;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Fault, quoted};
use super::node::Node;
use super::yaml;

impl Node {
    /// The same, with what was replaced typed again.
    fn typed(self) -> Self {
        match self {
            Self::Replaced(text) => yaml::typed(&text),
            node => node,
        }
    }

    /// The fault of being something else than `wanted`.
    fn is_not(&self, wanted: &str) -> Fault {
        Fault::custom(format!("must be {wanted}, not {}", self.kind()))
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.typed() {
            Self::Null => visitor.visit_unit(),
            Self::Bool(truth) => visitor.visit_bool(truth),
            Self::Whole(number) => visitor.visit_i64(number),
            Self::Fraction(number) => visitor.visit_f64(number),
            Self::Text(text) | Self::Replaced(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(Items {
                items: items.into_iter(),
                index: 0,
            }),
            Self::Section(entries) => visitor.visit_map(Entries {
                entries: entries.into_iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_none(),
            Self::Replaced(text) if yaml::typed(&text) == Self::Null => visitor.visit_none(),
            node => visitor.visit_some(node),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Text(text) | Self::Replaced(text) => visitor.visit_string(text),
            node @ (Self::Bool(_) | Self::Whole(_) | Self::Fraction(_)) => Err(Fault::custom(
                format!("must be text, not {}: put it in quotes", node.kind()),
            )),
            node => Err(node.is_not("text")),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.typed() {
            Self::Whole(number) => visitor.visit_i64(number),
            node => Err(node.is_not("a whole number")),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.typed() {
            Self::Bool(truth) => visitor.visit_bool(truth),
            node => Err(node.is_not("`true` or `false`")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            node @ Self::List(_) => node.deserialize_any(visitor),
            node => Err(node.is_not("a list (`- item`, one per line)")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.typed() {
            node @ Self::Section(_) => node.deserialize_any(visitor),
            node => Err(node.is_not("a section (`key: value`, one per line)")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.typed() {
            node @ Self::Section(_) => node.deserialize_any(visitor),
            node => Err(node.is_not(&format!("a section (its keys: {})", quoted(keys)))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, Fault> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A list on its way into a `Vec`; counts, so that a fault has its index.
struct Items {
    /// What is left.
    items: vec::IntoIter<Node>,
    /// Of the next item, from 0.
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(item)
            .map(Some)
            .map_err(|fault| fault.under(&format!("[{index}]")))
    }
}

/// A section on its way into a struct; remembers the key, so that a fault has its path.
struct Entries {
    /// What is left.
    entries: vec::IntoIter<(String, Node)>,
    /// The entry whose key was taken last.
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let name: StringDeserializer<Fault> = key.clone().into_deserializer();
        self.value = Some((key, value));
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self
            .value
            .take()
            .ok_or_else(|| Fault::custom("a value was read before its key"))?;
        seed.deserialize(value).map_err(|fault| fault.under(&key))
    }
}
