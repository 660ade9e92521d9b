//! Whether a small text is safe to read as a whole.

use std::collections::HashMap;

use super::{Event, Events, YamlError};

/// The longest text that is read as a whole, in bytes.
pub const MAX_WHOLE_BYTES: usize = 1 << 20;
/// The most values, with those that aliases repeat.
const MAX_VALUES: usize = 100_000;
/// The most brackets in a text whose syntax is for another parser to judge: that one takes time by the
/// square of their depth.
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
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// What is said of a text; nothing if it may be read.
    fn said(text: &str) -> Option<String> {
        check_bounds(text).err().map(|error| error.to_string())
    }

    #[test]
    fn what_would_take_long_is_refused_at_once() {
        let deep = "lists and maps lie more than 64 deep in each other at line 1";
        for text in ["[", "{a: ", "- ", "? "] {
            assert_eq!(said(&text.repeat(50_000)).as_deref(), Some(deep), "{text}");
        }
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, of) in "bcdefgh".chars().zip("abcdefg".chars()) {
            let aliases = vec![format!("*{of}"); 10].join(", ");
            writeln!(bomb, "{name}: &{name} [{aliases}]").unwrap();
        }
        let said = said(&bomb).unwrap_or_default();
        assert_eq!(
            said,
            "its aliases expand to far too much: write the values out"
        );
    }

    #[test]
    fn what_people_write_passes() {
        for text in [
            "",
            "a: 1",
            "a: &a {b: [1, 2]}\nc: *a\nd: {<<: *a}\n",
            "a: [",
            "\u{feff}a: 1\r\nb: 2\r\n",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
        let nested = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert_eq!(said(&nested), None);
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (text, words) in [
            ("a: 1\nb: \0", "a NUL character at line 2"),
            ("a: \u{1b}[31m", "the control character U+001B at line 1"),
        ] {
            let said = said(text).unwrap_or_default();
            assert!(said.starts_with(words), "{said}");
        }
        let wide: Vec<u8> = "\u{feff}a: 1"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let error = Events::new(wide.as_slice()).next_event().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the text is UTF-16; save the file as UTF-8"
        );
    }
}
