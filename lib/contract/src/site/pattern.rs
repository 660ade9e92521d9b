//! A regular expression that cannot run away, compiled.
//!
//! A search takes time in proportion to the text, but also to the pattern, and a few characters make a
//! large one: `a{32000}b`. So each pattern says how many steps it may take, and the probe refuses it before
//! a search begins.
//!
//! A few characters also take much memory: `x\w{20}` takes a mebibyte. So each pattern says how much it takes,
//! and the patterns of one site have a bound together.
//!
//! Measured: `"status":\s*"(ok|UP)"` takes 15 KiB, `(?i)\bstörung\b` 14 KiB, `[\w.+-]+@[\w-]+\.[\w.-]+`
//! 204 KiB, `\w{10}` 548 KiB, `\w{20}` 1,095 KiB.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regex_automata::Input;
use regex_automata::meta::{BuildError, Cache, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_024;
/// How deep a pattern may nest.
const NEST_LIMIT: u32 = 32;
/// The most memory that the program of a pattern may take while it is made, in bytes: `\w{20}` needs 976 KiB.
/// The finished program takes up to twice as much, as there is one for each direction.
const SIZE_LIMIT: usize = 1 << 20;
/// The most memory that all patterns of one site may take between searches, in bytes: one of the largest
/// patterns and dozens of ordinary ones.
pub const MAX_SITE_BYTES: usize = 2 << 20;
/// The most memory that a search may take, in each direction, for states that it makes as it goes, in bytes.
/// With half of it `\w{20}` is searched for without such states, and that takes a hundred times as long.
const STATES_LIMIT: usize = 1 << 20;
/// A search begins with about so much memory at most, in bytes: half of what the largest programs take.
const SEARCH_FIRST: usize = 1 << 20;
/// The most memory that a search takes, in bytes.
pub const MAX_SEARCH_BYTES: usize = SEARCH_FIRST + 2 * STATES_LIMIT;
/// The most memory of a search that a pattern keeps for the next one, in bytes. To make it again takes
/// microseconds, so patterns that need more keep none.
const KEPT_LIMIT: usize = 64 << 10;
/// What the kept memory may have grown to beyond what a search begins with, in bytes.
const KEPT_GROWTH: usize = 8 << 10;

/// A compiled regular expression over bytes; equal to another of the same text.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

/// What a pattern consists of.
struct Compiled {
    /// The text it was compiled from.
    text: Box<str>,
    /// What searches.
    regex: Regex,
    /// The memory that a search needs, between two of them. The library would keep one for each thread
    /// that ever searched.
    memory: Mutex<Option<Box<Cache>>>,
    /// The most of that memory which is kept, in bytes.
    kept_limit: usize,
    /// How many steps a search may take for each byte of a text.
    steps_per_byte: u64,
}

/// Compiles the patterns of one site, which have a bound together.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    /// What those so far take, in bytes.
    bytes: usize,
}

impl Compiler {
    /// Compiles a pattern; the error says what is wrong with it and what would be right.
    pub(super) fn compile(&mut self, text: &str) -> Result<Pattern, String> {
        let pattern = Pattern::compile(text)?;
        self.bytes += pattern.memory_bytes();
        if self.bytes > MAX_SITE_BYTES {
            return Err(format!(
                "the patterns up to this one take {} bytes of memory; all of a site may take \
                 {MAX_SITE_BYTES}; repeat less in them, or write fewer",
                self.bytes
            ));
        }
        Ok(pattern)
    }
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
        let parsed = ParserBuilder::new()
            .nest_limit(NEST_LIMIT)
            .utf8(false)
            .build()
            .parse(text)
            .map_err(|error| explain_syntax(&error.to_string()))?;
        let config = Regex::config()
            .utf8_empty(false)
            .which_captures(WhichCaptures::Implicit)
            .nfa_size_limit(Some(SIZE_LIMIT))
            .hybrid_cache_capacity(STATES_LIMIT);
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&parsed)
            .map_err(|error| explain(&error))?;
        let first = regex.create_cache().memory_usage();
        let kept_limit = match first {
            0..=KEPT_LIMIT => first + KEPT_GROWTH,
            _ => 0,
        };
        Ok(Self(Arc::new(Compiled {
            text: text.into(),
            regex,
            memory: Mutex::default(),
            kept_limit,
            steps_per_byte: places(&parsed),
        })))
    }

    /// The text it was compiled from.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// How many steps a search of so many bytes takes at worst.
    pub fn steps(&self, bytes: usize) -> u64 {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.steps_per_byte.saturating_mul(bytes)
    }

    /// The most memory that it takes between two searches, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let Compiled {
            text,
            regex,
            kept_limit,
            ..
        } = &*self.0;
        size_of::<Compiled>() + text.len() + regex.memory_usage() + kept_limit
    }

    /// The end of the first match.
    pub fn find_end(&self, haystack: &[u8]) -> Option<usize> {
        let Compiled {
            regex, kept_limit, ..
        } = &*self.0;
        let kept = self.0.memory().take();
        let mut memory = kept.unwrap_or_else(|| Box::new(regex.create_cache()));
        let found = regex.search_half_with(&mut memory, &Input::new(haystack));
        if memory.memory_usage() <= *kept_limit {
            *self.0.memory() = Some(memory);
        }
        found.map(|end| end.offset())
    }
}

impl Compiled {
    /// The memory between two searches; a panic elsewhere leaves it usable.
    fn memory(&self) -> MutexGuard<'_, Option<Box<Cache>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.as_str()).finish()
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

/// Why a pattern cannot be compiled.
fn explain(error: &BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("the pattern compiles to more than {limit} bytes; repeat less"),
        None => explain_syntax(&error.to_string()),
    }
}

/// An error of the parser in one line; its own drawing of the place takes several.
fn explain_syntax(text: &str) -> String {
    let last = text.lines().last().unwrap_or_default();
    let fault = last.strip_prefix("error: ").unwrap_or(last);
    format!("is no regular expression ({fault}); see docs.rs/regex for the syntax")
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
