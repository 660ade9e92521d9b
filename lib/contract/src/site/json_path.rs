//! Where a value stands in a JSON document: the part of RFC 9535 that goes one step at a time.
//!
//! A path is `$` and steps: `.name`, `['name']`, `[0]`, `[*]` or `.*`. What searches (`..`), counts from the
//! end, slices, lists, filters or calls is refused: such a path may visit a document many times over.

use std::str::Chars;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 256;
/// The most steps: code that follows a path may recurse, a level for each.
pub const MAX_STEPS: usize = 64;
/// The largest index, as in RFC 9535: 2^53 - 1.
const MAX_INDEX: u64 = (1 << 53) - 1;

/// A path, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    /// The text it was parsed from.
    text: String,
    /// The steps from the root.
    steps: Vec<Step>,
}

/// A step from a value to those right below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of an object with this name.
    Name(String),
    /// To the element of an array with this index, from 0.
    Index(u64),
    /// To every member or element.
    Any,
}

impl JsonPath {
    /// Parses a path; the error says what is wrong with it and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATH_BYTES {
            let length = text.len();
            return Err(format!(
                "the path is {length} bytes long; at most {MAX_PATH_BYTES}"
            ));
        }
        let mut rest = text
            .strip_prefix('$')
            .ok_or_else(|| format!("{text:?} does not begin with $; write one like $.status"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = first_step(rest)?;
            steps.push(step);
            rest = after;
        }
        if steps.len() > MAX_STEPS {
            let count = steps.len();
            return Err(format!("the path has {count} steps; at most {MAX_STEPS}"));
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether it may lead to several values.
    pub fn is_plural(&self) -> bool {
        self.steps.contains(&Step::Any)
    }
}

/// The first step of a text, and what follows it.
fn first_step(text: &str) -> Result<(Step, &str), String> {
    if text.starts_with("..") {
        return Err(".. searches at every depth; write each step, like $.a.b".to_owned());
    }
    if let Some(inside) = text.strip_prefix('[') {
        return if inside.starts_with(['\'', '"']) {
            quoted_step(inside)
        } else {
            bracket_step(inside)
        };
    }
    let Some(after) = text.strip_prefix('.') else {
        return Err(no_step(text));
    };
    if let Some(after) = after.strip_prefix('*') {
        return Ok((Step::Any, after));
    }
    let (name, after) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
    dotted_name(name).map(|step| (step, after))
}

/// A name after a dot.
fn dotted_name(name: &str) -> Result<Step, String> {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    if name.is_empty() {
        return Err("a dot has no name after it; write .name or .*".to_owned());
    }
    if name.contains('(') {
        return Err(format!(
            ".{name} calls a function; write the path to a value"
        ));
    }
    let plain = |c: char| begins(c) || c.is_ascii_digit();
    if name.starts_with(begins) && name.chars().all(plain) {
        return Ok(Step::Name(name.to_owned()));
    }
    let quoted = name.replace('\\', r"\\").replace('\'', r"\'");
    Err(format!(
        "the name {name:?} needs quotes; write ['{quoted}']"
    ))
}

/// The step in a bracket that does not begin with a quote.
fn bracket_step(inside: &str) -> Result<(Step, &str), String> {
    let (word, after) = inside
        .split_once(']')
        .ok_or("a bracket is not closed; write ['name'], [0] or [*]")?;
    let fault = if word == "*" {
        return Ok((Step::Any, after));
    } else if word.starts_with('?') {
        "is a filter; write [*], or the index of the one that counts".to_owned()
    } else if word.contains('(') {
        "calls a function; write the path to a value".to_owned()
    } else if word.contains(',') {
        "lists several steps; write a rule for each, or [*]".to_owned()
    } else if word.contains(':') {
        "is a slice; write a rule for each index, or [*]".to_owned()
    } else if word.starts_with('-') {
        "counts from the end; write an index from the start, like [0]".to_owned()
    } else if !word.bytes().all(|b| b.is_ascii_digit()) || word.is_empty() {
        "is no step; write ['name'], [0] or [*]".to_owned()
    } else if word.len() > 1 && word.starts_with('0') {
        "begins with a zero; write it without, like [7]".to_owned()
    } else {
        match word.parse().ok().filter(|index| *index <= MAX_INDEX) {
            Some(index) => return Ok((Step::Index(index), after)),
            None => format!("is too large; at most {MAX_INDEX}"),
        }
    };
    Err(format!("[{word}] {fault}"))
}

/// The step in a bracket that begins with a quote.
fn quoted_step(inside: &str) -> Result<(Step, &str), String> {
    let mut chars = inside.chars();
    let quote = chars.next().unwrap_or('\'');
    let mut name = String::new();
    loop {
        match chars.next() {
            None => return Err(format!("a name is not closed; add {quote}]")),
            Some(c) if c == quote => break,
            Some('\\') => name.push(escaped(&mut chars, quote)?),
            Some(c) if c < ' ' => {
                let code = u32::from(c);
                return Err(format!("a name has {c:?} in it; write \\u{code:04x}"));
            }
            Some(c) => name.push(c),
        }
    }
    let rest = chars.as_str();
    match rest.strip_prefix(']') {
        Some(after) => Ok((Step::Name(name), after)),
        None if rest.starts_with(',') => {
            Err("[…,…] lists several steps; write a rule for each, or [*]".to_owned())
        }
        None => Err(format!(
            "a bracket is not closed after {quote}{name}{quote}; add ]"
        )),
    }
}

/// The character that an escape means, its backslash read.
fn escaped(chars: &mut Chars<'_>, quote: char) -> Result<char, String> {
    match chars.next() {
        Some('b') => Ok('\u{8}'),
        Some('f') => Ok('\u{c}'),
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some('u') => escaped_code(chars),
        Some(c) if c == quote || c == '/' || c == '\\' => Ok(c),
        other => {
            let other = other.map(String::from).unwrap_or_default();
            Err(format!(
                "\\{other} is no escape; write one of \\b \\f \\n \\r \\t \\/ \\\\ \\{quote} \\uXXXX"
            ))
        }
    }
}

/// The character of `\uXXXX`, or of two of them, as in JSON.
fn escaped_code(chars: &mut Chars<'_>) -> Result<char, String> {
    let first = code_unit(chars)?;
    let mut units = vec![first];
    if (0xD800..0xDC00).contains(&first)
        && let Some(after) = chars.as_str().strip_prefix("\\u")
    {
        *chars = after.chars();
        units.push(code_unit(chars)?);
    }
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => Ok(character),
        _ => {
            Err("\\uXXXX is half of a character; write both halves, like \\ud83d\\ude00".to_owned())
        }
    }
}

/// The number of four hexadecimal digits.
fn code_unit(chars: &mut Chars<'_>) -> Result<u16, String> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = chars.next().and_then(|c| c.to_digit(16));
        let digit = digit.and_then(|digit| u16::try_from(digit).ok());
        unit = unit * 16 + digit.ok_or("\\u lacks digits; write four, like \\u00e9")?;
    }
    Ok(unit)
}

/// Why a text begins no step.
fn no_step(text: &str) -> String {
    let start: String = text.chars().take(16).collect();
    if text.starts_with('(') {
        return format!("{start:?} calls a function; write the path to a value");
    }
    format!("{start:?} is no step; write .name, ['name'], [0] or [*]")
}

#[cfg(test)]
#[path = "json_path_tests.rs"]
mod tests;
