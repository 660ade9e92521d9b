//! Everything of a run: servers and services of its own, the links between them, and a website.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::{Mode, Proxy, Server, free_ports};
use tokio::time::sleep;

use crate::action::{Action, Link, Operation};
use crate::background::{Background, Tools};
use crate::services::Services;
use crate::setup::prepare;
use crate::supervised_server::SupervisedServer;

/// How long everything may take to be ready, at first and once nothing fails any more.
const READY: Duration = Duration::from_secs(90);
/// How often servers and services are looked after.
const EVERY: Duration = Duration::from_millis(100);
/// The size of a disk that is to be filled: half an hour's results find room on it.
const DISK_MIB: u32 = 256;

/// Everything of a run.
#[derive(Debug)]
pub(crate) struct World {
    /// The services; first, so that they end before what they stand on.
    pub(crate) services: Services,
    /// What is done beside the faults.
    pub(crate) background: Background,
    /// What that needs.
    pub(crate) tools: Tools,
    /// `PostgreSQL`.
    postgres: SupervisedServer,
    /// The broker.
    broker: SupervisedServer,
    /// The links, in the order of [`Link`].
    links: [Proxy; 4],
    /// Where everything is kept; none once it is not to be removed.
    folder: Option<TempDir>,
    /// When the run began.
    began: Instant,
}

impl World {
    /// Starts everything, and waits until it is ready; `PostgreSQL` has a disk of its own if that is to be
    /// filled.
    pub(crate) async fn start(seed: u64, fills: bool) -> Self {
        // The user of PostgreSQL must get through.
        let folder = tempfile::Builder::new()
            .prefix(&format!("webmon-chaos-{seed}-"))
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .expect("a temporary folder");
        let port = free_ports(6);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        // The broker's listeners behind proxies are its fourth and fifth port.
        let links = [
            Proxy::start(local(port)).await,
            Proxy::start(local(port)).await,
            Proxy::start(local(port + 4)).await,
            Proxy::start(local(port + 5)).await,
        ];
        let [.., schedulers, checkers] = &links;
        let behind = [schedulers.address(), checkers.address()];
        let postgres = if fills {
            Server::postgres_on(DISK_MIB, folder.path(), port).await
        } else {
            Server::postgres(folder.path(), port)
        };
        let mut postgres = SupervisedServer::new(postgres);
        let mut broker = SupervisedServer::new(Server::kafka(folder.path(), port + 1, &behind));
        postgres.supervise();
        broker.supervise();
        postgres.server.ready().await;
        let (tools, services) =
            prepare(folder.path(), &postgres.server, &broker.server, &links).await;
        broker.server.ready().await;
        let mut world = Self {
            services,
            background: Background::default(),
            tools,
            postgres,
            broker,
            links,
            folder: Some(folder),
            began: Instant::now(),
        };
        world.ready().await;
        world.began = Instant::now();
        world
    }

    /// How long the run has lasted.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Looks after everything until the run has lasted so long.
    pub(crate) async fn until(&mut self, at: Duration) {
        loop {
            self.supervise();
            let left = at.saturating_sub(self.age());
            if left.is_zero() {
                return;
            }
            sleep(EVERY.min(left)).await;
        }
    }

    /// Looks after everything, once.
    pub(crate) fn supervise(&mut self) {
        self.postgres.supervise();
        self.broker.supervise();
        self.services.supervise();
    }

    /// Does one thing.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Service(id, operation) => self.services.act(id, operation),
            Action::SetClock(id, ahead) => self.services.set_clock(id, ahead),
            Action::Broker(operation) => self.broker.act(operation),
            Action::Postgres(operation) => {
                self.postgres.act(operation);
                self.background.start(action, &self.tools);
            }
            Action::Link(link, mode) => self.link(link).set(mode),
            other => self.background.start(other, &self.tools),
        }
    }

    /// Heals what still fails, and waits until everything is ready.
    pub(crate) async fn heal(&mut self) {
        for link in &self.links {
            link.set(Mode::Pass);
        }
        self.postgres.act(Operation::Free);
        self.postgres.act(Operation::Thaw);
        self.broker.act(Operation::Thaw);
        self.services.heal();
        self.ready().await;
    }

    /// Keeps the logs, and the data of the servers.
    pub(crate) fn keep(&mut self) {
        self.services.keep_logs();
        self.postgres.server.keep();
        if let Some(folder) = self.folder.take() {
            let folder = folder.keep();
            eprintln!("logs, and the data of the servers: {}", folder.display());
        }
    }

    /// Waits until everything is ready.
    async fn ready(&mut self) {
        let end = Instant::now() + READY;
        loop {
            self.supervise();
            if self.services.is_ready().await {
                return;
            }
            assert!(Instant::now() < end, "not all is ready within {READY:?}");
            sleep(EVERY).await;
        }
    }

    /// A link.
    fn link(&self, link: Link) -> &Proxy {
        let [first, second, third, fourth] = &self.links;
        match link {
            Link::SchedulersDatabase => first,
            Link::CheckersDatabase => second,
            Link::SchedulersBroker => third,
            Link::CheckersBroker => fourth,
        }
    }
}

impl Drop for World {
    /// A run that fails leaves its logs and its tables for people to look at.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}
