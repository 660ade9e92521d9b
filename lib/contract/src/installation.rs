//! Whose a message is: several installations may share a Kafka by mistake, such as production and a copy of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hex digits of a short id.
const DIGITS: usize = 8;

/// An installation of webmon, as messages name it: the first 8 hex digits of `installation.id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Installation(u32);

/// A text that is no short id of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {DIGITS} hex digits in lower case")]
pub struct NotAnInstallation;

impl Installation {
    /// The installation of this `installation.id`, a UUID as `PostgreSQL` writes it.
    pub fn of_id(id: &str) -> Result<Self, NotAnInstallation> {
        id.get(..DIGITS).ok_or(NotAnInstallation)?.parse()
    }
}

impl FromStr for Installation {
    type Err = NotAnInstallation;

    fn from_str(text: &str) -> Result<Self, NotAnInstallation> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != DIGITS || !text.bytes().all(digit) {
            return Err(NotAnInstallation);
        }
        u32::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| NotAnInstallation)
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Installation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Installation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor)
    }
}

/// Reads a short id without keeping its text.
struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Installation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an installation, {DIGITS} hex digits in lower case")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Installation, E> {
        text.parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_named_by_its_first_eight_digits() {
        let id = "0f3c9a1b-1111-4222-8333-444455556666";
        let installation = Installation::of_id(id).unwrap();
        assert_eq!(installation.to_string(), "0f3c9a1b");
        assert_eq!(
            serde_json::to_string(&installation).unwrap(),
            r#""0f3c9a1b""#
        );
    }

    #[test]
    fn no_other_text_is_an_installation() {
        for text in [
            "",
            "0f3c9a1",
            "0f3c9a1b0",
            "0F3C9A1B",
            "+f3c9a1b",
            "0f3c9a1g",
            "0f3c9a\u{e9}",
        ] {
            assert!(text.parse::<Installation>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Installation>("12345678").is_err());
        assert!(Installation::of_id("0f3c").is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(number: u32) {
            let written = serde_json::to_string(&Installation(number)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Installation>(&written).unwrap(), Installation(number));
        }
    }
}
