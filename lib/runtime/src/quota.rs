//! Quota: of lines that may come by the thousand a few a minute are said, and the rest is counted.

use std::time::{Duration, Instant};

/// How long a quota lasts.
const WINDOW: Duration = Duration::from_mins(1);
/// How many lines are said in that time.
const MOST_LINES: u32 = 10;

/// A quota of ten lines a minute, for lines of one kind.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    /// When the first line of the current minute was said.
    began: Option<Instant>,
    /// Lines said in the current minute.
    said: u32,
    /// Lines left out since the last one that was said.
    left_out: u64,
}

impl Quota {
    /// A quota of which nothing is used.
    pub const fn new() -> Self {
        Self {
            began: None,
            said: 0,
            left_out: 0,
        }
    }

    /// Says a line unless the quota is used up; returns whether it was said. The line tells how many
    /// were left out before it, if any were.
    pub fn say(&mut self, line: impl FnOnce(Option<u64>)) -> bool {
        self.say_at(Instant::now(), line)
    }

    /// The same at the instant `now`.
    fn say_at(&mut self, now: Instant, line: impl FnOnce(Option<u64>)) -> bool {
        if self.began.is_none_or(|began| now - began >= WINDOW) {
            (self.began, self.said) = (Some(now), 0);
        }
        if self.said == MOST_LINES {
            self.left_out += 1;
            return false;
        }
        self.said += 1;
        let left_out = std::mem::take(&mut self.left_out);
        line((left_out > 0).then_some(left_out));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_minute_are_said_and_the_next_tells_of_the_rest() {
        let (mut quota, start) = (Quota::new(), Instant::now());
        let mut said = Vec::new();
        for second in 0..=60 {
            let now = start + Duration::from_secs(second);
            quota.say_at(now, |left_out| said.push((second, left_out)));
        }
        let first = (0..10).map(|second| (second, None));
        assert_eq!(said, first.chain([(60, Some(50))]).collect::<Vec<_>>());
    }
}
