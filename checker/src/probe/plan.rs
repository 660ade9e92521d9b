//! A task's words as ready values: what is asked, and what a healthy site answers.

use std::sync::Arc;

use contract::site::{Expect, Request, SiteError, parse_url};
use contract::task::Task;
use memchr::memmem;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use url::Url;

/// The most patterns of all expectations kept: each may take a megabyte.
const MAX_PATTERNS: u64 = 256;
/// About how many expectations have so many patterns.
const MAX_KEPT: usize = 64;

/// What a check does.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Where it begins.
    pub(super) url: Url,
    /// How it asks.
    pub(super) request: Request,
    /// What it expects.
    pub(super) expect: Arc<Expect>,
}

/// The expectations that are used most, compiled: a pattern takes milliseconds to compile, so it is
/// not done at every check.
#[derive(Debug)]
pub(super) struct Plans {
    /// Expectations by their text, weighed by their patterns.
    kept: Cache<Box<str>, Arc<Expect>, Patterns>,
}

/// Weighs expectations.
#[derive(Clone, Debug)]
struct Patterns;

impl Weighter<Box<str>, Arc<Expect>> for Patterns {
    fn weight(&self, _: &Box<str>, expect: &Arc<Expect>) -> u64 {
        u64::try_from(expect.patterns()).unwrap_or(u64::MAX)
    }
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            kept: Cache::with_weighter(MAX_KEPT, MAX_PATTERNS, Patterns),
        }
    }
}

impl Plans {
    /// Reads a task.
    pub(super) fn read(&self, task: &Task) -> Result<Plan, SiteError> {
        Ok(Plan {
            url: parse_url(&task.url)?,
            request: Request::parse(task.request.get())?,
            expect: self.expect(task.expect.get())?,
        })
    }

    /// Reads expectations; those with patterns are kept.
    fn expect(&self, text: &str) -> Result<Arc<Expect>, SiteError> {
        // Reading most expectations costs less than looking for them.
        if memmem::find(text.as_bytes(), b"matches").is_none() {
            return Expect::parse(text).map(Arc::new);
        }
        if let Some(known) = self.kept.get(text) {
            return Ok(known);
        }
        let expect = Arc::new(Expect::parse(text)?);
        if expect.patterns() > 0 {
            self.kept.insert(text.into(), Arc::clone(&expect));
        }
        Ok(expect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_once_and_the_cache_stays_small() {
        let plans = Plans::default();
        let text = |n: usize| format!(r#"{{"body": [{{"matches": "a{n}"}}, {{"matches": "b"}}]}}"#);
        let first = plans.expect(&text(0)).unwrap();
        for n in 1..400 {
            plans.expect(&text(n)).unwrap();
            assert!(Arc::ptr_eq(&first, &plans.expect(&text(0)).unwrap()));
        }
        assert!((2..=MAX_PATTERNS).contains(&plans.kept.weight()));
    }

    #[test]
    fn what_needs_no_compiling_is_not_kept() {
        let plans = Plans::default();
        plans.expect(r#"{"status": [200]}"#).unwrap();
        assert_eq!(plans.kept.len(), 0);
    }
}
