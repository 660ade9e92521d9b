//! One pass over a document of JSON, along the paths of all rules at once.
//!
//! There is no tree of the document: what no path leads into is skipped by `serde_json`, which does that in
//! a loop and at any depth (`Deserializer::ignore_value`). Only the steps of a path recurse, at most
//! [`MAX_STEPS`](contract::site::json_path::MAX_STEPS) deep.

use contract::json_cursor::{Broken, Cursor, Part};
use contract::site::json_path::Step;
use contract::site::rules::MAX_RULES;

use super::rule_state::{FoundValue, RuleState};
use super::string;

/// A set of rules, a bit for each.
type Rules = u32;

const _: () = assert!(MAX_RULES <= Rules::BITS as usize, "a bit for each rule");

/// Shows each rule what its path leads to.
pub(super) fn walk(states: &mut [RuleState<'_>], bytes: &[u8]) -> Result<(), Broken> {
    let mut cursor = Cursor::new(bytes);
    let root = Place {
        states,
        rules: Rules::MAX,
        depth: 0,
    };
    root.read(&mut cursor)?;
    cursor.end()
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

impl Place<'_, '_> {
    /// Goes through what stands here.
    fn read(mut self, cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        if self.rules == 0 {
            return cursor.skip().map(drop);
        }
        match cursor.read()? {
            Part::Null => self.meet(&FoundValue::Null),
            Part::Bool(value) => self.meet(&FoundValue::Bool(value)),
            Part::Number(number) => self.meet(&FoundValue::Number(number)),
            Part::Text(written) => {
                let text = string::text(written).ok_or(Broken)?;
                self.meet(&FoundValue::Text(&text));
            }
            Part::Array => {
                self.meet(&FoundValue::Array);
                return self.read_elements(cursor);
            }
            Part::Object => {
                self.meet(&FoundValue::Object);
                return self.read_members(cursor);
            }
        }
        Ok(())
    }

    /// Goes through the elements of an array.
    fn read_elements(mut self, cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        let mut index = 0;
        while cursor.next_element(index == 0)? {
            let element = self.below(|step| match step {
                Step::Any => true,
                Step::Index(wanted) => *wanted == index,
                Step::Name(_) => false,
            });
            element.read(cursor)?;
            index += 1;
        }
        Ok(())
    }

    /// Goes through the members of an object.
    fn read_members(mut self, cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        let mut first = true;
        while let Some(written) = cursor.next_name(first)? {
            first = false;
            let key = string::text(written).ok_or(Broken)?;
            let member = self.below(|step| match step {
                Step::Any => true,
                Step::Name(name) => *name == key,
                Step::Index(_) => false,
            });
            member.read(cursor)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
