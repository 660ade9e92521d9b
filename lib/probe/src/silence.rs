//! Silence: whether anybody answers at all.
//!
//! Sites go down one by one. When the sites of many hosts stop answering at one moment, and nobody else
//! answers either, the way to them all is in doubt, and [the reference](super::doubt) is asked. While somebody
//! answers, and on a checker of many sites somebody always does, a timeout is the site's own.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Silence is general from so many hosts on.
const MANY: u32 = 5;

/// Who was asked, and whether anybody answered.
#[derive(Debug)]
pub(super) struct Silence {
    /// What the time counts from.
    origin: Instant,
    /// When somebody answered last, in milliseconds.
    answered_ms: AtomicU64,
    /// The hosts that were asked since then: a bit for each, by a hash.
    asked: AtomicU64,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            answered_ms: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }
    }
}

impl Silence {
    /// A host is asked.
    pub(super) fn asked(&self, host: &str) {
        let mut hasher = DefaultHasher::new();
        host.hash(&mut hasher);
        let bit = 1 << (hasher.finish() % 64);
        // written only when it changes, as all lanes read it
        if self.asked.load(Ordering::Relaxed) & bit == 0 {
            self.asked.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Somebody answers, be it with a refusal.
    pub(super) fn answered(&self) {
        self.answered_ms
            .store(self.millis(Instant::now()), Ordering::Relaxed);
        self.asked.store(0, Ordering::Relaxed);
    }

    /// Whether many hosts were asked and nobody answered, for nearly all the time that a check has waited.
    /// Not quite all: when the way breaks the last answers come while the first checks wait already.
    pub(super) fn is_general(&self, waited: Duration, now: Instant) -> bool {
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

    /// Whether silence is general when `hosts` were asked since somebody answered, `ago` ago.
    fn is_general(hosts: usize, ago: Duration) -> bool {
        let silence = Silence::default();
        (0..10).for_each(|n| silence.asked(&format!("{n}.before.example")));
        silence.answered();
        // these fall on bits of their own
        let hosts = ["a", "b", "c", "d", "e", "f"].iter().take(hosts);
        hosts.for_each(|host| silence.asked(host));
        silence.is_general(WAITED, Instant::now() + ago)
    }

    #[test]
    fn silence_is_general_when_many_are_asked_and_nobody_answers_for_long() {
        for (hosts, ago, general) in [
            (5, WAITED, true),
            (6, WAITED * 3, true),
            (5, WAITED / 4 * 3, true),
            (4, WAITED * 3, false),
            (6, WAITED / 2, false),
            (0, WAITED, false),
        ] {
            assert_eq!(is_general(hosts, ago), general, "{hosts} hosts, {ago:?}");
        }
    }

    #[test]
    fn one_host_asked_often_is_not_many() {
        let silence = Silence::default();
        (0..100).for_each(|_| silence.asked("shop.example"));
        assert!(!silence.is_general(WAITED, Instant::now() + WAITED));
    }
}
