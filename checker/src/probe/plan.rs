//! A task's words as ready values: what is asked, and what a healthy site answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contract::site::{Expect, Request, SiteError, parse_url};
use contract::task::Task;
use url::Url;

/// The most expectations kept.
const MAX_KEPT: usize = 256;
/// The most patterns in them: each may take a megabyte.
const MAX_PATTERNS: usize = 256;

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

/// The expectations that were used last, compiled: a pattern takes milliseconds to compile, so it is
/// not done at every check.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// By their text.
    kept: Mutex<Kept>,
}

/// What [`Plans`] keeps.
#[derive(Debug, Default)]
struct Kept {
    /// Counts the uses.
    clock: u64,
    /// Expectations by their text, and when they were used last.
    entries: HashMap<Box<str>, (u64, Arc<Expect>)>,
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
        if let Some(known) = self.locked(|kept| kept.find(text)) {
            return Ok(known);
        }
        let expect = Arc::new(Expect::parse(text)?);
        if expect.patterns() > 0 {
            self.locked(|kept| kept.keep(text, Arc::clone(&expect)));
        }
        Ok(expect)
    }

    /// Does something short under the lock.
    fn locked<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    /// An expectation, used now.
    fn find(&mut self, text: &str) -> Option<Arc<Expect>> {
        self.clock += 1;
        let (used, expect) = self.entries.get_mut(text)?;
        *used = self.clock;
        Some(Arc::clone(expect))
    }

    /// Keeps an expectation, and forgets those not used for longest until it fits.
    fn keep(&mut self, text: &str, expect: Arc<Expect>) {
        self.entries.insert(text.into(), (self.clock, expect));
        while self.entries.len() > MAX_KEPT || self.patterns() > MAX_PATTERNS {
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(text, _)| text.clone()) else {
                return;
            };
            self.entries.remove(&oldest);
        }
    }

    /// The patterns kept.
    fn patterns(&self) -> usize {
        let expectations = self.entries.values();
        expectations.map(|(_, expect)| expect.patterns()).sum()
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
        let (entries, patterns) = plans.locked(|kept| (kept.entries.len(), kept.patterns()));
        assert_eq!((entries, patterns), (MAX_PATTERNS / 2, MAX_PATTERNS));
    }

    #[test]
    fn what_needs_no_compiling_is_not_kept() {
        let plans = Plans::default();
        plans.expect(r#"{"status": [200]}"#).unwrap();
        assert_eq!(plans.locked(|kept| kept.entries.len()), 0);
    }
}
