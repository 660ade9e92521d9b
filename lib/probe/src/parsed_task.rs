//! A task, parsed: what is asked, and what a healthy site answers.
//!
//! A pattern takes milliseconds to compile and up to megabytes to keep, and a row may have any. So compiled
//! expectations are kept, as many as fit a fixed number of bytes; each text is compiled by one lane at a time,
//! on a core that it waits for; and a text that was refused is remembered by what was said of it. A check
//! holds none while it asks: what does not fit would be held by every lane.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::result::MAX_DETAIL_CHARS;
use contract::site::{Expect, Request, SiteError, parse_url};
use contract::task::Task;
use memchr::{memchr, memmem};
use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use url::Url;

use crate::fault::Fault;
use crate::judge::cores::Cores;
use crate::redact::printable;
use crate::waiting::WaitingTime;

/// The most memory of the expectations that are kept compiled, in bytes: about a thousand with an ordinary
/// pattern each.
pub(super) const CACHE_BYTES: u64 = 32 << 20;
/// About how many they are, refused ones included; room for the places of as many is made at the start.
const CACHE_COUNT: usize = 1_024;
/// What one takes beside its own memory: its place in the cache.
const PLACE_BYTES: usize = 128;

/// What a check does.
#[derive(Debug)]
pub(super) struct ParsedTask {
    /// Where it begins.
    pub(super) url: Url,
    /// How it asks.
    pub(super) request: Request,
    /// What it expects.
    pub(super) expected: Expected,
}

/// What a check expects, as far as it is known before the answer is there.
#[derive(Debug)]
pub(super) struct Expected {
    /// The most bytes of the body.
    pub(super) max_size: Option<u64>,
    /// Whether something is expected of the body's bytes.
    pub(super) of_body: bool,
    /// The first key that needs the body, if there is one.
    pub(super) needs_body: Option<&'static str>,
    /// The rest.
    stored: Stored,
}

/// Where expectations are while the site is asked.
#[derive(Debug)]
enum Stored {
    /// Here, as they have no patterns.
    Inline(Arc<Expect>),
    /// In the cache, unless others have taken their place.
    Cached(Key),
}

/// SHA-256 of the text: a text may have 64 KiB.
type Key = [u8; SHA256_OUTPUT_LEN];

/// What is kept of a text.
#[derive(Clone, Debug)]
enum Cached {
    /// What it says, and how many bytes it has.
    Ready(Arc<Expect>, usize),
    /// Why it makes no sense.
    Refused(Arc<SiteError>),
}

/// The expectations that are used most, compiled.
#[derive(Debug)]
pub(super) struct TaskParser {
    /// What is kept, weighed by its memory.
    cache: Cache<Key, Cached, Memory>,
}

/// Weighs what is kept, in bytes.
#[derive(Clone, Debug)]
struct Memory;

impl Weighter<Key, Cached> for Memory {
    fn weight(&self, _: &Key, cached: &Cached) -> u64 {
        let bytes = match cached {
            Cached::Ready(expect, text) => expect.memory_bytes() + text,
            Cached::Refused(error) => {
                size_of::<SiteError>() + error.key.len() + error.message.len()
            }
        };
        u64::try_from(PLACE_BYTES + bytes).unwrap_or(u64::MAX)
    }
}

impl TaskParser {
    /// With nothing kept yet.
    pub(super) fn new() -> Result<Self> {
        Self::of(CACHE_BYTES)
    }

    /// With room for so many bytes, undivided: the largest expectations fit no small part of it.
    fn of(bytes: u64) -> Result<Self> {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(CACHE_COUNT)
            .weight_capacity(bytes)
            .shards(1)
            .build()
            .wrap_err("make room for compiled expectations")?;
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Ok(Self {
            cache: Cache::with_options(options, Memory, hash, lifecycle),
        })
    }

    /// Parses a task; where that takes long it waits for a core.
    pub(super) fn parse(
        &self,
        task: &Task,
        cores: &Cores,
        waiting: &mut WaitingTime,
    ) -> Result<ParsedTask, Fault> {
        let parsed = ParsedTask {
            url: parse_url(&task.url)?,
            request: Request::parse(task.request.get())?,
            expected: self.expected(task.expect.get(), cores, waiting)?,
        };
        parsed.request.refuse_unread(parsed.expected.needs_body)?;
        Ok(parsed)
    }

    /// Reads expectations; those with patterns are kept.
    fn expected(
        &self,
        text: &str,
        cores: &Cores,
        waiting: &mut WaitingTime,
    ) -> Result<Expected, Fault> {
        // Reading most expectations costs less than looking for them.
        if !may_have_patterns(text) {
            let expect = Arc::new(Expect::parse(text)?);
            return Ok(Expected::of(&expect, Stored::Inline(Arc::clone(&expect))));
        }
        let key = key(text);
        let found = waiting.wait(
            |most| match self.cache.get_value_or_guard(&key, Some(most)) {
                GuardResult::Timeout => None,
                found => Some(found),
            },
        )?;
        let cached = match found {
            GuardResult::Guard(guard) => {
                let _core = waiting.wait(|most| cores.take(most))?;
                let cached = Cached::compile(text, cores);
                // what does not fit is used all the same
                drop(guard.insert(cached.clone()));
                cached
            }
            GuardResult::Value(cached) => cached,
            GuardResult::Timeout => return Err(waiting.too_long()),
        };
        let expect = cached.ready()?;
        Ok(Expected::of(&expect, Stored::Cached(key)))
    }

    /// The expectations of a text that was read before, now that the answer is there. They are compiled again if
    /// others took their place. The caller has a core.
    pub(super) fn expectations(
        &self,
        expected: &Expected,
        text: &str,
        cores: &Cores,
    ) -> Result<Arc<Expect>, Fault> {
        let key = match &expected.stored {
            Stored::Inline(expect) => return Ok(Arc::clone(expect)),
            Stored::Cached(key) => key,
        };
        // A check that has a core waits for no other, which may wait for a core.
        let cached = match self.cache.get_value_or_guard(key, Some(Duration::ZERO)) {
            GuardResult::Value(cached) => cached,
            GuardResult::Timeout => Cached::compile(text, cores),
            GuardResult::Guard(guard) => {
                let cached = Cached::compile(text, cores);
                drop(guard.insert(cached.clone()));
                cached
            }
        };
        cached.ready()
    }
}

impl Expected {
    /// What is known of expectations before the answer is there.
    fn of(expect: &Expect, stored: Stored) -> Self {
        Self {
            max_size: expect.max_size,
            of_body: !(expect.body.is_empty() && expect.json.is_empty()),
            needs_body: expect.needs_body(),
            stored,
        }
    }

    /// Whether judging by them takes a core.
    pub(super) fn take_a_core(&self) -> bool {
        self.of_body || matches!(self.stored, Stored::Cached(_))
    }
}

impl Cached {
    /// Compiles a text, on a core that the caller has.
    fn compile(text: &str, cores: &Cores) -> Self {
        match cores.compile(|| Expect::parse(text)) {
            Ok(expect) => Self::Ready(Arc::new(expect), text.len()),
            Err(SiteError { key, message }) => {
                let short = |text: String| printable(&text, MAX_DETAIL_CHARS);
                Self::Refused(Arc::new(SiteError::new(short(key), short(message))))
            }
        }
    }

    /// The expectations, unless they make no sense.
    fn ready(self) -> Result<Arc<Expect>, Fault> {
        match self {
            Self::Ready(expect, _) => Ok(expect),
            Self::Refused(error) => Err(SiteError::clone(&error).into()),
        }
    }
}

/// Whether there may be a pattern in a text: its key is `matches` or `not_matches`, or has escapes.
fn may_have_patterns(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"matches").is_some() || memchr(b'\\', text.as_bytes()).is_some()
}

/// What stands for a text.
fn key(text: &str) -> Key {
    let mut key = [0; SHA256_OUTPUT_LEN];
    key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    key
}

#[cfg(test)]
#[path = "parsed_task_tests.rs"]
mod tests;
