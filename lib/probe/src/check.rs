//! One check, from a task to a result.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use contract::instant::UnixUs;
use contract::outcome::Reason;
use contract::result::{CheckResult, Measured};
use contract::site::Request;
use contract::site::request::Extent;
use contract::task::Task;
use ureq::{Body, http};
use url::Url;

use crate::answer::Criteria;
use crate::ask::Step;
use crate::ask::filled::FilledRequest;
use crate::ask::trail::Trail;
use crate::check_memory;
use crate::fault::Fault;
use crate::observed::{self, Hop, Observed};
use crate::parsed_task::ParsedTask;
use crate::prober::{Prober, Shared};
use crate::tls::certificate;
use crate::waiting::WaitingTime;

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
    /// `started_at` is now, on the database's clock.
    pub fn check(&self, task: &Task, started_at: UnixUs) -> CheckResult {
        let fault = self.make(task, started_at, false);
        conclude(task, fault, started_at)
    }

    /// The same, with each connection that was made on the way.
    pub fn watch(&self, task: &Task, started_at: UnixUs) -> Watched {
        let fault = self.make(task, started_at, true);
        let observed = observed::end();
        let result = result(task, fault, started_at, &observed);
        let mut hops = observed.hops;
        for hop in &mut hops {
            if let Some(tls) = &mut hop.tls {
                tls.certificate = hop.leaf.as_deref().and_then(certificate::read);
            }
        }
        Watched { result, hops }
    }

    /// Makes a check: what is wrong with the site, or this machine. What was seen on the way is observed.
    fn make(&self, task: &Task, started_at: UnixUs, watched: bool) -> Option<Fault> {
        let wire_limit = self.shared.body_limit.saturating_mul(WIRE_FACTOR);
        let limit = Duration::from_millis(task.timeout_ms.into());
        observed::begin(limit, wire_limit.saturating_add(WIRE_HEADS));
        observed::with(|observed| {
            observed.watched = watched;
            observed.options = Some(self.shared.check_memory.share());
        });
        // A panic could leave half done only what was observed, and that is replaced at the next check.
        match panic::catch_unwind(AssertUnwindSafe(|| self.failure(task, started_at))) {
            Ok(fault) => fault,
            Err(_) => Some(Fault::here(Reason::Internal, "the probe panicked")),
        }
    }

    /// Makes the check: what is wrong with the site, or this machine.
    fn failure(&self, task: &Task, started_at: UnixUs) -> Option<Fault> {
        let began = Instant::now();
        let fault = self.run(task, started_at).err()?;
        observed::stop();
        let fault = fault.with_what_was_asked_for().with_what_was_withheld();
        let fault = fault.with_its_proxy();
        Some(self.shared.blame.decide(fault, began))
    }

    /// Makes the check; what is wrong with the site is the error.
    fn run(&self, task: &Task, started_at: UnixUs) -> Result<(), Fault> {
        let Shared { parser, cores, .. } = &*self.shared;
        check_memory::take_for_task(task)?;
        let mut waiting = WaitingTime::new(Duration::from_millis(task.timeout_ms.into()));
        let ParsedTask {
            url,
            request,
            expected,
        } = parser.parse(task, cores, &mut waiting)?;
        let response = self.last_response(url, &request)?;
        let criteria = Criteria {
            expected: &expected,
            head_alone: request.read == Extent::Head,
            text: task.expect.get(),
            waiting,
        };
        self.judge(response, criteria, started_at)
    }

    /// Asks, and follows redirects to the last response, whose body is still to come. The clock starts
    /// when the request is ready. It is not inlined, so that what judging needs lies where this was.
    #[inline(never)]
    fn last_response(&self, url: Url, request: &Request) -> Result<http::Response<Body>, Fault> {
        // The host that answers first.
        let first = request.proxy.as_ref().map_or(&url, |proxy| &proxy.url);
        self.shared
            .answers
            .asked(first.host_str().unwrap_or_default());
        let vault = self.shared.vault.get();
        let filled = FilledRequest::new(request, &vault, &url)?;
        let key = filled.client_key.as_deref();
        let own = self.shared.tls.of_site(&request.tls, key)?;
        observed::start();
        observed::with(|observed| observed.family = request.ip);
        let mut trail = Trail::new(Step::first(url, request)?);
        loop {
            let response = trail.step.ask(&self.agent, &filled, own.as_ref())?;
            let admit = |url: &Url| vault.admit(request.secrets(), url);
            if !trail.follow(&response, request, &filled, admit)? {
                return Ok(response);
            }
        }
    }
}

/// The result of a check that has just been made. It is not inlined, or it took its share of the stack all
/// the while that the check is made.
#[inline(never)]
fn conclude(task: &Task, fault: Option<Fault>, started_at: UnixUs) -> CheckResult {
    result(task, fault, started_at, &observed::end())
}

/// The result of a check which observed this.
fn result(
    task: &Task,
    fault: Option<Fault>,
    started_at: UnixUs,
    observed: &Observed,
) -> CheckResult {
    CheckResult {
        check: task.check(),
        reason: fault.as_ref().map(|fault| fault.reason),
        detail: fault.map(|fault| fault.detail(observed.hops.len())),
        measured: measured(observed, started_at),
    }
}

/// What was observed, as the result has it.
fn measured(observed: &Observed, started_at: UnixUs) -> Measured {
    Measured {
        started_at_us: Some(started_at),
        status: observed.status(),
        phases: observed.phases(),
        body_bytes: observed.body_bytes,
        address: observed.hops.iter().rev().find_map(|hop| hop.address),
        certificate_expires_at_s: observed.certificate_end().map(|end| end.at_s),
    }
}
