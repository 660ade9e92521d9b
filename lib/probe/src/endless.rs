//! A body that does not end, as its type says: server-sent events, and pictures that replace each other.
//!
//! Without expectations on the body, the head alone is judged. With some, the body is judged while it comes, and the
//! check ends as soon as the verdict is certain. An expectation that can hold only at the end of a body gets no
//! verdict; then the check ends with its time, and says which expectation that was.

use std::time::{Duration, Instant};

use contract::outcome::Reason;
use ureq::Body;
use ureq::http::response::Parts;
use ureq::http::{HeaderMap, header};

use crate::answer::{Criteria, Rest};
use crate::body::{PIECE_FIRST, Receiver};
use crate::decode::{self, Cut};
use crate::fault::Fault;
use crate::observed;
use crate::prober::Prober;

/// The media types of bodies without end (HTML, 9.2 and 13.1.5).
const TYPES: &[&str] = &["text/event-stream", "multipart/x-mixed-replace"];
/// The most time that verdicts of one check may take at once.
const BURST: Duration = Duration::from_millis(50);
/// The part of its time beyond that which a check may spend on verdicts, as its divisor: the rest is for others.
const PART: u32 = 8;

/// When to try for a verdict: whenever something came, unless that would take too much of a core.
#[derive(Debug)]
struct Pace {
    /// When the check began to wait for the body.
    began: Instant,
    /// What verdicts took since then.
    spent: Duration,
}

/// Whether a body does not end. One whose length is known does.
pub(super) fn is_endless(headers: &HeaderMap) -> bool {
    let media = decode::media_type(headers);
    let is = |known: &&str| media.eq_ignore_ascii_case(known.as_bytes());
    TYPES.iter().any(is) && !headers.contains_key(header::CONTENT_LENGTH)
}

impl Prober {
    /// Judges a response while its body comes; what is left to judge.
    #[inline(never)]
    pub(super) fn judge_while_it_comes(
        &self,
        head: &Parts,
        body: Body,
        criteria: &mut Criteria<'_>,
    ) -> Result<Rest, Fault> {
        let memory = &self.shared.body_memory;
        let mut share = memory.share();
        let limits = self.limits(criteria.expected);
        let mut receiver = Receiver::new(body, &head.headers, limits, memory, &mut share)?;
        let mut piece = vec![0; PIECE_FIRST];
        let mut pace = Pace::new();
        let last = loop {
            if pace.is_due() {
                let body = Ok((&*receiver.received.bytes, Cut::Endless));
                let verdict = pace.run(|| self.judge_as_far(head, body, criteria));
                if is_certain(&verdict) {
                    observed::stop();
                    return verdict;
                }
            }
            match receiver.read(&mut piece) {
                Ok(0) => break Ok(receiver.received.body()),
                Ok(_) => {}
                Err(fault) if fault.reason == Reason::BodyTimeout => {
                    break Ok((&*receiver.received.bytes, Cut::Endless));
                }
                Err(fault) => break Err(fault),
            }
        };
        observed::stop();
        self.judge_as_far(head, last, criteria)
    }
}

impl Pace {
    /// Nothing was tried yet.
    fn new() -> Self {
        Self {
            began: Instant::now(),
            spent: Duration::ZERO,
        }
    }

    /// Whether to try now.
    fn is_due(&self) -> bool {
        self.spent <= BURST + self.began.elapsed() / PART
    }

    /// Tries.
    fn run<T>(&mut self, attempt: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = attempt();
        self.spent += began.elapsed();
        result
    }
}

/// Whether nothing that may still come can change a verdict.
fn is_certain(verdict: &Result<Rest, Fault>) -> bool {
    !matches!(verdict, Err(fault) if fault.reason == Reason::BodyTimeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_take_a_part_of_a_core_only() {
        let ago = |spent| Pace {
            began: Instant::now(),
            spent,
        };
        assert!(Pace::new().is_due() && ago(BURST).is_due());
        assert!(!ago(2 * BURST).is_due(), "400 ms early");
    }
}
