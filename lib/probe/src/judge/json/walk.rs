//! One pass over a document of JSON, along the paths of all rules at once.
//!
//! There is no tree of the document: what no path leads into is skipped by `serde_json`, which does that in
//! a loop and at any depth (`Deserializer::ignore_value`). Only the steps of a path recurse, at most
//! [`MAX_STEPS`] deep.

use std::fmt;

use contract::site::json_path::{MAX_STEPS, Step};
use contract::site::rules::MAX_RULES;
use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::rule_state::{FoundValue, RuleState};

/// A set of rules, a bit for each.
type Rules = u32;

const _: () = assert!(MAX_RULES <= Rules::BITS as usize, "a bit for each rule");
// `serde_json` follows 127 levels; a value may be found below the last step.
const _: () = assert!(MAX_STEPS < 127, "no path is longer than serde_json goes");

/// Shows each rule what its path leads to; the error is that of a text that is no JSON.
pub(super) fn walk(states: &mut [RuleState<'_>], bytes: &[u8]) -> serde_json::Result<()> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let root = Place {
        states,
        rules: Rules::MAX,
        depth: 0,
    };
    root.deserialize(&mut document)?;
    document.end()
}

/// A place in a document.
#[derive(Debug)]
struct Place<'p, 'r> {
    /// What all rules have seen.
    states: &'p mut [RuleState<'r>],
    /// The rules whose first `depth` steps lead here.
    rules: Rules,
    /// How many steps it is from the root.
    depth: usize,
}

impl<'r> Place<'_, 'r> {
    /// Shows what stands here to the rules whose paths end here.
    fn meet(&mut self, value: &FoundValue<'_>) {
        for (bit, state) in bits().zip(self.states.iter_mut()) {
            if self.rules & bit != 0 && state.rule.path.steps().len() == self.depth {
                state.meet(value);
            }
        }
    }

    /// The place one step further, for the rules whose next step leads there.
    fn below(&mut self, leads: impl Fn(&Step) -> bool) -> Place<'_, 'r> {
        let mut rules = 0;
        for (bit, state) in bits().zip(self.states.iter()) {
            let next = state.rule.path.steps().get(self.depth);
            if self.rules & bit != 0 && next.is_some_and(&leads) {
                rules |= bit;
            }
        }
        Place {
            states: self.states,
            rules,
            depth: self.depth + 1,
        }
    }
}

/// The bits of a set of rules, in order.
fn bits() -> impl Iterator<Item = Rules> {
    (0..Rules::BITS).map(|index| 1 << index)
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.rules == 0 {
            let IgnoredAny = IgnoredAny::deserialize(deserializer)?;
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.meet(&FoundValue::Null);
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.meet(&FoundValue::Bool(value));
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.meet(&FoundValue::Number(value.into()));
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.meet(&FoundValue::Number(value.into()));
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        self.meet(&FoundValue::Number(number));
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.meet(&FoundValue::Text(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.meet(&FoundValue::Array);
        let mut index = 0;
        loop {
            let element = self.below(|step| match step {
                Step::Any => true,
                Step::Index(wanted) => *wanted == index,
                Step::Name(_) => false,
            });
            if seq.next_element_seed(element)?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.meet(&FoundValue::Object);
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(self.below(|step| match step {
                Step::Any => true,
                Step::Name(name) => *name == key,
                Step::Index(_) => false,
            }))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
