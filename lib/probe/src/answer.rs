//! The last response of a check: the rest of it received, and all compared with what was expected.

use std::time::Duration;

use contract::instant::UnixUs;
use ureq::http::response::Parts;
use ureq::{Body, http};

use crate::body::{Limits, Received, Receiver};
use crate::budget::Share;
use crate::decode::{Cut, Text};
use crate::endless;
use crate::fault::Fault;
use crate::judge;
use crate::observed;
use crate::parsed_task::Expected;
use crate::prober::{Prober, Shared};
use crate::waiting::WaitingTime;

/// What a response is judged by.
pub(super) struct Criteria<'a> {
    /// What is expected.
    pub(super) expected: &'a Expected,
    /// The same as it was written.
    pub(super) text: &'a str,
    /// Whether the body is not read.
    pub(super) head_alone: bool,
    /// How long judging may wait for others.
    pub(super) waiting: WaitingTime,
}

/// What is left to judge when the response was as expected.
pub(super) struct Rest {
    /// How many days its certificate must last.
    certificate_days: Option<u64>,
    /// The most time of the check.
    max_time: Option<Duration>,
}

impl Prober {
    /// Receives the rest of the last response, and compares all with what was expected. It is not inlined:
    /// while the site is asked, and the stack is deepest, none of this lies there yet.
    #[inline(never)]
    pub(super) fn judge(
        &self,
        response: http::Response<Body>,
        mut criteria: Criteria<'_>,
        started_at: UnixUs,
    ) -> Result<(), Fault> {
        let (head, body) = response.into_parts();
        let endless = endless::is_endless(&head.headers);
        let rest = if endless && criteria.expected.needs_body.is_some() {
            self.judge_while_it_comes(&head, body, &mut criteria)?
        } else {
            let mut share = self.shared.body_memory.share();
            let received = if endless || criteria.head_alone {
                // the connection ends here
                drop(body);
                Ok(Received::default())
            } else {
                self.receive(body, &head, criteria.expected, &mut share)
            };
            observed::stop();
            let body = received.as_ref().map(Received::body).map_err(Fault::clone);
            self.judge_as_far(&head, body, &mut criteria)?
        };
        if let Some(days) = rest.certificate_days {
            let end = observed::with(|observed| observed.certificate_end());
            judge::judge_certificate(days, end.as_ref(), started_at.to_seconds())?;
        }
        let total = observed::with(|observed| observed.total_us);
        judge::judge_time(rest.max_time, Duration::from_micros(total.unwrap_or(0)))
    }

    /// Receives a body to its end.
    fn receive(
        &self,
        body: Body,
        head: &Parts,
        expected: &Expected,
        share: &mut Share,
    ) -> Result<Received, Fault> {
        let memory = &self.shared.body_memory;
        let receiver = Receiver::new(body, &head.headers, self.limits(expected), memory, share);
        receiver.and_then(Receiver::receive)
    }

    /// Compares a response, as far as it was received, with what was expected of it; what is left to judge.
    pub(super) fn judge_as_far(
        &self,
        head: &Parts,
        body: Result<(&[u8], Cut), Fault>,
        criteria: &mut Criteria<'_>,
    ) -> Result<Rest, Fault> {
        let Shared {
            parser,
            cores,
            body_memory,
            ..
        } = &*self.shared;
        let expected = criteria.expected;
        let core = (expected.take_a_core())
            .then(|| criteria.waiting.wait(|most| cores.take(most)))
            .transpose()?;
        let expect = parser.expectations(expected, criteria.text, cores)?;
        let text = body.and_then(|(bytes, cut)| Text::of(&head.headers, bytes, cut, body_memory));
        judge::judge_response(&expect, head, text)?;
        let rest = Rest {
            certificate_days: expect.certificate_days,
            max_time: expect.max_time,
        };
        // no longer than the core, see `parsed_task`
        drop(expect);
        drop(core);
        Ok(rest)
    }

    /// How much of a body is read for these expectations.
    pub(super) fn limits(&self, expected: &Expected) -> Limits {
        Limits {
            limit: self.shared.body_limit,
            max_size: expected.max_size,
            keep: expected.of_body,
        }
    }
}
