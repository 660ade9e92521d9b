//! What a lane makes checks with: the HTTP library, put together with webmon's own parts.

use std::sync::Arc;

use color_eyre::eyre::Result;
use rustls::RootCertStore;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use ureq::Agent;
use ureq::unversioned::transport::Connector as _;

use crate::blame::{Answers, Blame, Connectivity};
use crate::budget::Budget;
use crate::check_memory;
use crate::dial::{Dialler, Policy};
use crate::dns::NameResolver;
use crate::dns::names::Names;
use crate::dns::system::Files;
use crate::judge::cores::Cores;
use crate::options::{Addresses, ProbeOptions, Secrets};
use crate::parsed_task::TaskParser;
use crate::proxy::{AbsoluteFormConnector, TunnelConnector};
use crate::replaceable::Replaceable;
use crate::secrets::Vault;
use crate::sockets::SocketBudget;
use crate::tls::clients::Clients;
use crate::tls::{TlsConnector, authorities};
use crate::transport::ExchangeConnector;

/// What is said to a check that finds no memory for its body.
const BODIES_SPENT: &str = "the bodies of other checks take all of the checker's body_memory";

/// Makes checks, one after the other on each thread that calls it.
#[derive(Clone, Debug)]
pub struct Prober {
    /// The HTTP library; its pool, though never used, has a lock.
    pub(super) agent: Agent,
    /// What all probers of a process share.
    pub(super) shared: Arc<Shared>,
}

/// What all probers of a process share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Which addresses may be dialled.
    policy: Arc<Policy>,
    /// How TLS is spoken.
    pub(super) tls: Clients,
    /// Look-ups of names.
    names: Arc<Names>,
    /// Whose fault a failure is.
    pub(super) blame: Blame,
    /// The sockets that may be open.
    sockets: Arc<SocketBudget>,
    /// Which hosts answer.
    pub(super) answers: Arc<Answers>,
    /// Compiled expectations.
    pub(super) parser: TaskParser,
    /// The values of secrets.
    pub(super) vault: Replaceable<Vault>,
    /// The most bytes of a body that are read.
    pub(super) body_limit: u64,
    /// Memory for bodies that are kept.
    pub(super) body_memory: Arc<Budget>,
    /// Memory for long options and certificates.
    pub(super) check_memory: Arc<Budget>,
    /// The cores that may evaluate expectations.
    pub(super) cores: Cores,
}

impl Prober {
    /// A prober that trusts the system's certificate authorities; none at all is an error.
    ///
    /// Names are looked up on `runtime`, so it must not be called from there.
    pub fn new(options: &ProbeOptions, runtime: &Handle) -> Result<Self> {
        Self::with_roots(options, runtime, authorities::system_roots()?)
    }

    /// A prober that trusts these certificate authorities.
    pub fn with_roots(
        options: &ProbeOptions,
        runtime: &Handle,
        roots: RootCertStore,
    ) -> Result<Self> {
        let policy = Arc::new(Policy::new(&options.addresses));
        let names = Arc::new(Names::new(&options.dns, Files::default(), runtime)?);
        let answers = Arc::<Answers>::default();
        let connectivity = Connectivity::new(
            Arc::clone(&names),
            Arc::clone(&policy),
            options.reference.clone(),
        );
        let shared = Shared {
            policy,
            tls: Clients::new(roots)?,
            names,
            blame: Blame::new(Arc::clone(&answers), connectivity),
            sockets: SocketBudget::of_process(),
            answers,
            parser: TaskParser::new()?,
            vault: Replaceable::new(Vault::new(&options.secrets)),
            body_limit: options.body_limit,
            body_memory: Arc::new(Budget::new(options.body_memory, BODIES_SPENT)),
            check_memory: Arc::new(check_memory::budget()),
            cores: Cores::of_machine(),
        };
        Ok(Self::around(Arc::new(shared)))
    }

    /// A prober for another lane, so that the two wait for no lock of the library.
    #[must_use]
    pub fn for_another_lane(&self) -> Self {
        Self::around(Arc::clone(&self.shared))
    }

    /// Has all probers of the process go by these from now on; a check goes on with the secrets that it began with.
    pub fn reconfigure(&self, addresses: &Addresses, secrets: &Secrets) {
        self.shared.policy.replace(addresses);
        self.shared.vault.set(Vault::new(secrets));
    }

    /// Watches until `stop` whether this process stands still, so that no site is blamed for it.
    pub fn watch_for_stalls(&self, stop: &CancellationToken) {
        self.shared.blame.watch_for_stalls(stop);
    }

    /// A prober with an agent of its own.
    fn around(shared: Arc<Shared>) -> Self {
        let dialler = Dialler {
            policy: Arc::clone(&shared.policy),
            answers: Arc::clone(&shared.answers),
            sockets: Arc::clone(&shared.sockets),
        };
        let tls = TlsConnector {
            plain: Arc::clone(shared.tls.plain()),
        };
        let connector = dialler
            .chain(TunnelConnector)
            .chain(tls)
            .chain(AbsoluteFormConnector)
            .chain(ExchangeConnector);
        let resolver = NameResolver {
            names: Arc::clone(&shared.names),
            policy: Arc::clone(&shared.policy),
            sockets: Arc::clone(&shared.sockets),
        };
        let agent = Agent::with_parts(agent_config(), connector, resolver);
        Self { agent, shared }
    }
}

/// The library, made for a monitor: no proxy from the environment (it would skip resolver and policy),
/// no pool, no following, no errors for statuses, no clocks of its own.
pub(crate) fn agent_config() -> ureq::config::Config {
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
        .build()
}
