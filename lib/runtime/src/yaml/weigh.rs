//! Whether a small text is safe to read as a whole.

use std::collections::HashMap;

use super::{Event, Events, YamlError};

/// The longest text that is read as a whole, in bytes.
pub const MAX_WHOLE_BYTES: usize = 1 << 20;
/// The most values, with those that aliases repeat.
const MAX_VALUES: usize = 100_000;
/// The most brackets in a text whose syntax another parser checks: that one takes time by the square of their
/// depth.
const MAX_BRACKETS: usize = 10_000;

/// Refuses a text whose values lie too deep in each other, or are too many once its aliases are replaced.
/// What breaks the rules of YAML is for the next parser to say, as far as that is cheap.
pub fn check_bounds(text: &str) -> Result<(), YamlError> {
    match count(text) {
        Err(YamlError::Syntax(_)) if is_cheap(text) => Ok(()),
        counted => counted,
    }
}

/// Whether a parser without bounds takes little time and memory for a text.
pub fn is_cheap(text: &str) -> bool {
    let brackets = text.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    let aliases = text.contains('&') && text.contains('*');
    text.len() <= MAX_WHOLE_BYTES && brackets <= MAX_BRACKETS && !aliases
}

/// Counts the values.
fn count(text: &str) -> Result<(), YamlError> {
    let mut events = Events::new(text.as_bytes());
    // of each list and map that is open, its anchor and its values so far
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut named: HashMap<usize, usize> = HashMap::new();
    while let Some(event) = events.next_event()? {
        let (anchor, values) = match event {
            Event::Scalar { anchor, .. } => (anchor, 1),
            Event::List { anchor, .. } | Event::Map { anchor, .. } => {
                open.push((anchor, 1));
                continue;
            }
            Event::End => open.pop().unwrap_or_default(),
            Event::Alias(anchor) => (0, named.get(&anchor).copied().unwrap_or(usize::MAX)),
        };
        if anchor != 0 {
            named.insert(anchor, values);
        }
        let around = open.last_mut().map_or(values, |(_, sum)| {
            *sum = sum.saturating_add(values);
            *sum
        });
        if around > MAX_VALUES {
            let message = "its aliases expand to far too much: write the values out";
            return Err(YamlError::Refused(message.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "weigh_tests.rs"]
mod tests;
