//! Everything of a run: servers and services of its own, the links between them, and a website.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use tempfile::TempDir;
use testbed::{Mode, Proxy, Server, Settings, Topic, Website, database_url, free_ports, migrate};
use tokio::time::sleep;

use crate::action::{Action, Deed, Link};
use crate::changes::SITES;
use crate::crew::Crew;
use crate::errands::{Errands, Tools};

/// How long everything may take to be ready, at first and once nothing fails any more.
const READY: Duration = Duration::from_secs(90);
/// How often servers and services are looked after.
const EVERY: Duration = Duration::from_millis(100);
/// The checkers' settings: several runs share a machine.
const CHECKER: &str = "slots: 256\n";
/// Notes each missed row that a check replaced: without them rows and metrics do not add up.
const NOTE_REPLACED: &str = "
    CREATE TABLE replaced (outcome text, reason text);
    CREATE FUNCTION note_replaced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO replaced VALUES (OLD.outcome::text, OLD.reason::text);
        RETURN NEW;
    END $$;
    CREATE TRIGGER note_replaced AFTER UPDATE ON check_result
        FOR EACH ROW EXECUTE FUNCTION note_replaced()";

/// Everything of a run.
#[derive(Debug)]
pub(crate) struct World {
    /// The services; first, so that they end before what they stand on.
    pub(crate) crew: Crew,
    /// What is done beside the faults.
    pub(crate) errands: Errands,
    /// What that needs.
    pub(crate) tools: Tools,
    /// `PostgreSQL`.
    postgres: Guarded,
    /// The broker.
    broker: Guarded,
    /// The links, in the order of [`Link`].
    links: [Proxy; 4],
    /// Where everything is kept; none once it is not to be removed.
    folder: Option<TempDir>,
    /// When the run began.
    began: Instant,
}

/// A server that is started again when it has ended.
#[derive(Debug)]
struct Guarded {
    /// The server.
    server: Server,
    /// Whether it is to run.
    wanted: bool,
}

impl World {
    /// Starts everything, and waits until it is ready.
    pub(crate) async fn start(seed: u64) -> Self {
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
        let mut postgres = Guarded::new(Server::postgres(folder.path(), port));
        let mut broker = Guarded::new(Server::kafka(folder.path(), port + 1, &behind));
        postgres.supervise();
        broker.supervise();
        postgres.server.ready().await;
        let (tools, crew) = prepare(folder.path(), &postgres.server, &broker.server, &links).await;
        broker.server.ready().await;
        let mut world = Self {
            crew,
            errands: Errands::default(),
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
        self.crew.supervise();
    }

    /// Does one thing.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Service(member, deed) => self.crew.act(member, deed),
            Action::Broker(deed) => self.broker.act(deed),
            Action::Postgres(deed) => self.postgres.act(deed),
            Action::Link(link, mode) => self.link(link).set(mode),
            errand => self.errands.go(errand, &self.tools),
        }
    }

    /// Heals what still fails, and waits until everything is ready.
    pub(crate) async fn heal(&mut self) {
        for link in &self.links {
            link.set(Mode::Pass);
        }
        self.postgres.act(Deed::Thaw);
        self.broker.act(Deed::Thaw);
        self.crew.heal();
        self.ready().await;
    }

    /// Waits until everything is ready.
    async fn ready(&mut self) {
        let end = Instant::now() + READY;
        loop {
            self.supervise();
            if self.crew.is_ready().await {
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
            self.crew.keep_logs();
            if let Some(folder) = self.folder.take() {
                let folder = folder.keep();
                eprintln!("logs, and the data of the servers: {}", folder.display());
            }
        }
    }
}

impl Guarded {
    /// A server that is to run.
    fn new(server: Server) -> Self {
        Self {
            server,
            wanted: true,
        }
    }

    /// Starts it if it is to run and does not.
    fn supervise(&mut self) {
        if self.wanted {
            self.server.start();
        }
    }

    /// Does something to it.
    fn act(&mut self, deed: Deed) {
        self.wanted = matches!(deed, Deed::Start | Deed::Freeze | Deed::Thaw);
        match deed {
            Deed::Kill => self.server.kill(),
            Deed::Stop => self.server.quit(),
            Deed::Freeze => self.server.freeze(),
            Deed::Thaw => self.server.thaw(),
            Deed::Wipe => self.server.wipe(),
            Deed::Start => {}
        }
    }
}

/// Makes the database, the sites, and what the services are told.
async fn prepare(
    folder: &Path,
    postgres: &Server,
    broker: &Server,
    links: &[Proxy; 4],
) -> (Tools, Crew) {
    migrate(&postgres.url()).await;
    let mut options = ConnectOptions::new(postgres.url());
    options
        .sqlx_logging(false)
        .max_connections(20)
        .acquire_timeout(Duration::from_secs(5));
    let database = Database::connect(options).await.expect("a pool");
    let website = Arc::new(Website::start());
    execute(&database, NOTE_REPLACED).await;
    for crowd in SITES {
        execute(&database, &crowd.sql(&website)).await;
    }
    let brokers = broker.address().to_string();
    let topic = Arc::new(Topic::on(&brokers, "chaos"));
    let direct = Settings {
        database_url: postgres.url(),
        brokers,
        topic: topic.name().to_owned(),
        ca: None,
        filter: "info",
        checker: CHECKER.to_owned(),
    };
    let through = |database: &Proxy, broker: &Proxy| Settings {
        database_url: database_url(database.address()),
        brokers: broker.address().to_string(),
        ..direct.clone()
    };
    let [
        schedulers_database,
        checkers_database,
        schedulers_broker,
        checkers_broker,
    ] = links;
    let tools = Tools {
        database,
        topic,
        website,
        apply: direct.scheduler(folder, "apply"),
        folder: folder.to_owned(),
    };
    let crew = Crew::new(
        through(schedulers_database, schedulers_broker),
        through(checkers_database, checkers_broker),
        folder.to_owned(),
    );
    (tools, crew)
}

/// Runs a statement while nothing fails.
async fn execute(database: &DatabaseConnection, sql: &str) {
    database.execute_unprepared(sql).await.expect(sql);
}
