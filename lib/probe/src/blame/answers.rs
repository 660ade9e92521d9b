//! Whether any host answers at all.
//!
//! Sites go down one by one. When the sites of many hosts stop answering at one moment, and no other host
//! answers either, the network may be to blame, and [the reference](super::connectivity) is asked. While any host
//! answers, and on a checker of many sites one always does, a timeout is the site's own.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Answers are missing when so many hosts were asked and none answered.
const MANY: u32 = 5;

/// Which hosts were asked since one answered.
#[derive(Debug)]
pub(crate) struct Answers {
    /// What the time counts from.
    origin: Instant,
    /// When a host answered last, in milliseconds.
    answered_ms: AtomicU64,
    /// The hosts that were asked since then: a bit for each, by a hash.
    asked: AtomicU64,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            answered_ms: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }
    }
}

impl Answers {
    /// A host is asked.
    pub(crate) fn asked(&self, host: &str) {
        let mut hasher = DefaultHasher::new();
        host.hash(&mut hasher);
        let bit = 1 << (hasher.finish() % 64);
        // written only when it changes, as all lanes read it
        if self.asked.load(Ordering::Relaxed) & bit == 0 {
            self.asked.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// A host answers, be it with a refusal.
    pub(crate) fn answered(&self) {
        self.answered_ms
            .store(self.millis(Instant::now()), Ordering::Relaxed);
        self.asked.store(0, Ordering::Relaxed);
    }

    /// Whether many hosts were asked and none answered, for nearly all the time that a check has waited.
    /// Not quite all: when the way breaks the last answers come while the first checks wait already.
    pub(crate) fn are_missing(&self, waited: Duration, now: Instant) -> bool {
        let answered = Duration::from_millis(self.answered_ms.load(Ordering::Relaxed));
        let silent = now.saturating_duration_since(self.origin + answered);
        self.asked.load(Ordering::Relaxed).count_ones() >= MANY && silent >= waited / 4 * 3
    }

    /// Milliseconds since the origin.
    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a check has waited.
    const WAITED: Duration = Duration::from_secs(10);

    /// Whether answers are missing when `hosts` were asked since one came, `ago` ago.
    fn are_missing(hosts: usize, ago: Duration) -> bool {
        let answers = Answers::default();
        (0..10).for_each(|n| answers.asked(&format!("{n}.before.example")));
        answers.answered();
        // these fall on bits of their own
        let hosts = ["a", "b", "c", "d", "e", "f"].iter().take(hosts);
        hosts.for_each(|host| answers.asked(host));
        answers.are_missing(WAITED, Instant::now() + ago)
    }

    #[test]
    fn answers_are_missing_when_many_hosts_are_asked_and_none_answers_for_long() {
        for (hosts, ago, missing) in [
            (5, WAITED, true),
            (6, WAITED * 3, true),
            (5, WAITED / 4 * 3, true),
            (4, WAITED * 3, false),
            (6, WAITED / 2, false),
            (0, WAITED, false),
        ] {
            assert_eq!(are_missing(hosts, ago), missing, "{hosts} hosts, {ago:?}");
        }
    }

    #[test]
    fn one_host_asked_often_is_not_many() {
        let answers = Answers::default();
        (0..100).for_each(|_| answers.asked("shop.example"));
        assert!(!answers.are_missing(WAITED, Instant::now() + WAITED));
    }
}
