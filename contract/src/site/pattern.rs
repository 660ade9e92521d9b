//! A regular expression that cannot run away, compiled.
//!
//! A search takes time in proportion to the text, but also to the pattern, and a few characters make a
//! large one: `a{32000}b`. So each pattern says how many steps it may take, for whoever searches to judge
//! before it begins.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_024;
/// How deep a pattern may nest.
const NEST_LIMIT: u32 = 32;
/// The most memory that a compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled regular expression over bytes; equal to another of the same text.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What searches.
    regex: Regex,
    /// How many steps a search may take for each byte of a text.
    steps_per_byte: u64,
}

impl Pattern {
    /// Compiles a pattern; the error says what is wrong with it and what would be right.
    pub fn compile(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "the pattern is {} bytes long; at most {MAX_PATTERN_BYTES}",
                text.len()
            ));
        }
        let regex = RegexBuilder::new(text)
            .nest_limit(NEST_LIMIT)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| explain(&error))?;
        let parsed = ParserBuilder::new()
            .nest_limit(NEST_LIMIT)
            .utf8(false)
            .build()
            .parse(text)
            .map_err(|error| explain(&regex::Error::Syntax(error.to_string())))?;
        Ok(Self {
            regex,
            steps_per_byte: places(&parsed),
        })
    }

    /// The text it was compiled from.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// How many steps a search of so many bytes takes at worst.
    pub fn steps(&self, bytes: usize) -> u64 {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.steps_per_byte.saturating_mul(bytes)
    }

    /// The end of the first match.
    pub fn find_end(&self, haystack: &[u8]) -> Option<usize> {
        self.regex.find(haystack).map(|found| found.end())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

/// In how many places of a pattern a search can be at once, counted repetitions written out: each costs
/// a step for each byte. The depth is that of the pattern, which [`NEST_LIMIT`] bounds.
fn places(pattern: &Hir) -> u64 {
    let sum = |parts: &[Hir]| parts.iter().map(places).fold(0, u64::saturating_add);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(_) | HirKind::Class(_) => 1,
        HirKind::Capture(capture) => places(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            places(&repetition.sub).saturating_mul(times.into())
        }
    }
}

/// An error of the compiler in one line; its own drawing of the place takes several.
fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the pattern compiles to more than {limit} bytes; repeat less")
        }
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            let fault = last.strip_prefix("error: ").unwrap_or(last);
            format!("is no regular expression ({fault}); see docs.rs/regex for the syntax")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_knows_how_long_it_may_take() {
        for (text, steps) in [
            ("", 0),
            ("^$", 0),
            ("hello", 1),
            ("(?i)hello", 5),
            ("[a-z]+@[a-z]+", 3),
            ("(a|b)*c", 2),
            ("a{32000}b", 32_001),
            ("(?:a{1,100}){1,100}b", 10_001),
            ("(?s).{3,}", 3),
            (r"\pL{20}", 20),
        ] {
            let pattern = Pattern::compile(text).unwrap();
            assert_eq!(pattern.steps(10), steps * 10, "{text}");
        }
    }
}
