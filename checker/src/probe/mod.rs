//! One check of one site: from a task to a result.
//!
//! A check is read into a `plan`, `fill`ed with its `secrets`, and `ask`s: `resolve` finds addresses,
//! `dial` vets each by the [policy] and has them `race`, `tls` shakes hands as one of the `clients`, which
//! `verify` the server's `certificate` or put their `refusal` into words, the `meter` sees the first byte
//! on the `wire`. A `redirect` asks again. The last response's `body` is read, and `judge` compares all
//! with what was expected. What was seen on the way is in the thread's `record`, and what went wrong is a
//! `fault`; one that may be this machine's own is in `doubt` until somebody else was asked. What of it
//! all people may see, `redact` says.
//! A site that is down is a value here, never an error.
//!
//! Addresses come by `names`, which are in the `view` of the `system`'s files or asked of the name
//! `servers` over `sockets`.

mod ask;
mod body;
mod certificate;
mod clients;
mod cores;
mod dial;
mod distance;
mod doubt;
mod fault;
mod fill;
mod json;
mod json_walk;
mod judge;
mod meter;
mod names;
mod plan;
pub mod policy;
mod race;
mod record;
mod redact;
mod redirect;
mod refusal;
mod resolve;
mod secrets;
mod servers;
mod sockets;
mod system;
mod tls;
mod verify;
mod view;
mod wire;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::Result;
use contract::outcome::Reason;
use contract::result::{CheckResult, Measured};
use contract::site::Expect;
use contract::task::Task;
use rustls::RootCertStore;
use tokio::runtime::Handle;
use ureq::unversioned::transport::Connector as _;
use ureq::{Agent, Body, http};

use self::ask::Step;
use self::body::{Budget, Limits};
pub use self::certificate::{CertificateSeen, TlsSeen};
use self::clients::{Clients, Handshake};
use self::cores::Cores;
use self::doubt::Doubts;
use self::fault::Fault;
use self::fill::Filled;
use self::names::Names;
use self::plan::{Plan, Plans};
pub use self::policy::Policy;
pub use self::record::Hop;
use self::record::Record;
use self::redirect::Trail;
use self::resolve::NameResolver;
use self::secrets::Vault;
use self::system::Files;
use crate::config::ProbeConfig;

/// How webmon names itself to the sites.
pub(crate) const USER_AGENT: &str = concat!("webmon/", env!("CARGO_PKG_VERSION"));
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

/// Makes checks, one after the other on each thread that calls it.
#[derive(Clone, Debug)]
pub struct Prober {
    /// The HTTP library; its pool, though never used, has a lock.
    agent: Agent,
    /// What all probers of a process share.
    shared: Arc<Shared>,
}

/// What all probers of a process share.
#[derive(Debug)]
struct Shared {
    /// Which addresses may be dialled.
    policy: Arc<Policy>,
    /// How TLS is spoken.
    tls: Clients,
    /// Look-ups of names.
    names: Arc<Names>,
    /// Whether a failure is this machine's own.
    doubts: Doubts,
    /// Compiled expectations.
    plans: Plans,
    /// The values of secrets.
    vault: Vault,
    /// The most bytes of a body that are read.
    body_limit: u64,
    /// Memory for bodies that are kept.
    body_memory: Budget,
    /// Who may evaluate.
    cores: Cores,
}

impl Prober {
    /// A prober that trusts the system's certificate authorities; none at all is an error.
    ///
    /// Names are looked up on `runtime`, so it must not be called from there.
    pub fn new(config: &ProbeConfig, runtime: &Handle) -> Result<Self> {
        Self::with_roots(config, runtime, verify::system_roots()?)
    }

    /// A prober that trusts these certificate authorities.
    pub fn with_roots(
        config: &ProbeConfig,
        runtime: &Handle,
        roots: RootCertStore,
    ) -> Result<Self> {
        let policy = Arc::new(Policy::new(&config.addresses));
        let names = Arc::new(Names::new(&config.dns, Files::default(), runtime)?);
        let doubts = Doubts::new(
            Arc::clone(&names),
            Arc::clone(&policy),
            config.reference.clone(),
        );
        let shared = Shared {
            policy,
            tls: Clients::new(roots)?,
            names,
            doubts,
            plans: Plans::default(),
            vault: Vault::new(&config.secrets),
            body_limit: config.body_limit,
            body_memory: Budget::new(config.body_memory),
            cores: Cores::of_machine(),
        };
        Ok(Self::around(Arc::new(shared)))
    }

    /// A prober for another lane, so that the two wait for no lock of the library.
    #[must_use]
    pub fn for_another_lane(&self) -> Self {
        Self::around(Arc::clone(&self.shared))
    }

    /// A prober with an agent of its own.
    fn around(shared: Arc<Shared>) -> Self {
        let dialler = dial::Dialler {
            policy: Arc::clone(&shared.policy),
        };
        let tls = tls::TlsConnector {
            plain: Arc::clone(shared.tls.plain()),
        };
        let connector = dialler.chain(tls).chain(meter::MeterConnector);
        let resolver = NameResolver {
            names: Arc::clone(&shared.names),
            policy: Arc::clone(&shared.policy),
        };
        let agent = Agent::with_parts(agent_config(), connector, resolver);
        Self { agent, shared }
    }

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
        let fault = self.run(task, started_at_us).err()?;
        record::stop();
        Some(self.shared.doubts.settle(fault))
    }

    /// Makes the check; what is wrong with the site is the error.
    fn run(&self, task: &Task, started_at_us: i64) -> Result<(), Fault> {
        let plan = self.shared.plans.read(task)?;
        let host = plan.url.host_str().unwrap_or_default();
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
        let (total, ends) =
            record::with(|record| (record.total_us, certificate_expires_at_s(record)));
        judge::judge_certificate(&plan.expect, ends, started_at_us / 1_000_000)?;
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

/// The library, made for a monitor: no proxy from the environment (it would skip resolver and policy),
/// no pool, no following, no errors for statuses, no clocks of its own.
fn agent_config() -> ureq::config::Config {
    Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        // Heads end with the input buffer: this limit is held against interim responses with all
        // that came behind them.
        .max_response_header_size(usize::MAX)
        .user_agent(USER_AGENT)
        .build()
}
