//! One check, from a task to a result.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use contract::outcome::{Outcome, Reason};
use contract::result::{CheckResult, Measured};
use contract::site::Expect;
use contract::task::Task;
use ureq::{Body, http};

use super::ask::Step;
use super::body::{self, Limits};
use super::doubt::Doubt;
use super::fault::Fault;
use super::fill::Filled;
use super::judge;
use super::plan::Plan;
use super::prober::Prober;
use super::record::{self, Hop, Record};
use super::redirect::Trail;
use super::tls::certificate;
use super::tls::clients::Handshake;

/// Bytes on the wire beyond which a response is refused, as a multiple of the body's limit.
const WIRE_FACTOR: u64 = 4;
/// Bytes on the wire that are not the body's: heads of all hops, certificates.
const WIRE_HEADS: u64 = 1 << 20;

/// A check's result, and the connections that were made on the way.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What is recorded.
    pub result: CheckResult,
    /// The connections, in order.
    pub hops: Vec<Hop>,
}

impl Prober {
    /// Makes the check that a task asks for, within the task's time; never panics.
    ///
    /// `started_at_us` is now, in microseconds since the Unix epoch on the database's clock.
    pub fn check(&self, task: &Task, started_at_us: i64) -> CheckResult {
        self.make(task, started_at_us).0
    }

    /// The same, with each connection that was made on the way.
    pub fn watch(&self, task: &Task, started_at_us: i64) -> Watched {
        let (result, record) = self.make(task, started_at_us);
        let mut hops = record.hops;
        for hop in &mut hops {
            if let Some(tls) = &mut hop.tls {
                tls.certificate = hop.leaf.as_deref().and_then(certificate::read);
            }
        }
        Watched { result, hops }
    }

    /// Makes a check; its result, and what it saw.
    fn make(&self, task: &Task, started_at_us: i64) -> (CheckResult, Record) {
        let wire_limit = self.shared.body_limit.saturating_mul(WIRE_FACTOR);
        let limit = Duration::from_millis(task.timeout_ms.into());
        record::begin(limit, wire_limit.saturating_add(WIRE_HEADS));
        // What a panic could leave half done is the record's, and that is replaced at the next check.
        let fault =
            match panic::catch_unwind(AssertUnwindSafe(|| self.failure(task, started_at_us))) {
                Ok(fault) => fault,
                Err(_) => Some(Fault::here(Reason::Internal, "the probe panicked")),
            };
        let record = record::end();
        let result = CheckResult {
            site_id: task.site_id,
            scheduled_at: task.scheduled_at,
            reason: fault.as_ref().map(|fault| fault.reason),
            detail: fault.map(|fault| fault.detail(record.hops.len())),
            measured: measured(&record, started_at_us),
        };
        (result, record)
    }

    /// Makes the check: what is wrong with the site, or this machine. Doubts are settled when the clock
    /// has stopped.
    fn failure(&self, task: &Task, started_at_us: i64) -> Option<Fault> {
        let began = Instant::now();
        let fault = self.run(task, started_at_us).err()?;
        record::stop();
        if fault.reason.outcome() == Outcome::Inconclusive {
            return Some(fault);
        }
        let now = Instant::now();
        if let Some(still) = self.shared.stalls.since(began, now) {
            let millis = still.as_millis();
            return Some(Fault {
                reason: Reason::LocalResources,
                message: format!(
                    "{}; this process stood still for {millis} ms",
                    fault.message
                ),
                doubt: None,
                ..fault
            });
        }
        let silent = fault.doubt.is_none()
            && fault.reason.is_timeout()
            && self.shared.silence.is_general(now - began, now);
        let fault = if silent {
            fault.in_doubt(Doubt::Silence)
        } else {
            fault
        };
        Some(self.shared.doubts.settle(fault))
    }

    /// Makes the check; what is wrong with the site is the error.
    fn run(&self, task: &Task, started_at_us: i64) -> Result<(), Fault> {
        let plan = self.shared.plans.read(task)?;
        let host = plan.url.host_str().unwrap_or_default();
        self.shared.silence.asked(host);
        let filled = Filled::new(&plan.request, &self.shared.vault, host)?;
        let key = filled.client_key.as_deref();
        let own = self.shared.tls.of_site(&plan.request.tls, key)?;
        record::start();
        record::with(|record| record.family = plan.request.ip);
        let response = self.last_response(&plan, &filled, own.as_ref())?;
        let (head, body) = response.into_parts();
        let limits = self.limits(&plan.expect);
        let mut share = self.shared.body_memory.share();
        let received = body::receive(body, limits, &mut share);
        record::stop();
        let core = (plan.expect.patterns() > 0 || limits.keep).then(|| self.shared.cores.take());
        judge::judge_response(&plan.expect, &head, received)?;
        drop(core);
        if let Some(days) = plan.expect.certificate_days {
            let end = record::with(|record| certificate_expires_at_s(record));
            judge::judge_certificate(days, end, started_at_us / 1_000_000)?;
        }
        let total = record::with(|record| record.total_us);
        judge::judge_time(&plan.expect, Duration::from_micros(total.unwrap_or(0)))
    }

    /// Asks, and follows redirects to the last response, whose body is still to come.
    fn last_response(
        &self,
        plan: &Plan,
        filled: &Filled<'_>,
        own: Option<&Handshake>,
    ) -> Result<http::Response<Body>, Fault> {
        let mut trail = Trail::new(Step::first(&plan.url, &plan.request));
        loop {
            let response = trail.step.ask(&self.agent, filled, own)?;
            let status = response.status().as_u16();
            if !trail.follow(status, response.headers(), &plan.request)? {
                return Ok(response);
            }
        }
    }

    /// How much of a body is read for these expectations.
    fn limits(&self, expect: &Expect) -> Limits {
        Limits {
            limit: self.shared.body_limit,
            max_size: expect.max_size,
            keep: !(expect.body.is_empty() && expect.json.is_empty()),
        }
    }
}

/// When the first of the certificates on the way ends: the site works no longer than that.
fn certificate_expires_at_s(record: &Record) -> Option<i64> {
    let leaves = record.hops.iter().filter_map(|hop| hop.leaf.as_deref());
    let ends = leaves.filter_map(certificate::validity_s);
    ends.map(|(_, end)| end).min()
}

/// The record as the result has it.
fn measured(record: &Record, started_at_us: i64) -> Measured {
    Measured {
        started_at_us: Some(started_at_us),
        status: record.status(),
        phases: record.phases(),
        body_bytes: record.body_bytes,
        address: record.hops.iter().rev().find_map(|hop| hop.address),
        certificate_expires_at_s: certificate_expires_at_s(record),
    }
}
