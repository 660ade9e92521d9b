//! A regular expression that cannot run away, compiled.

use regex::bytes::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_024;
/// How deep a pattern may nest.
const NEST_LIMIT: u32 = 32;
/// The most memory that a compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled regular expression over bytes; equal to another of the same text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern; the error says what is wrong with it and what would be right.
    pub fn compile(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "the pattern is {} bytes long; at most {MAX_PATTERN_BYTES}",
                text.len()
            ));
        }
        RegexBuilder::new(text)
            .nest_limit(NEST_LIMIT)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| explain(&error))
    }

    /// The text it was compiled from.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The end of the first match.
    pub fn find_end(&self, haystack: &[u8]) -> Option<usize> {
        self.0.find(haystack).map(|found| found.end())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

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
