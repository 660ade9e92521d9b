//! `webmon up`: everything in one process, from a sites file to verdicts on the terminal.
//!
//! 1. The [database](crate::database): the data folder is locked, `PostgreSQL` started or found, its database
//!    [locked](crate::lock), the schema brought up to date.
//! 2. The [broker](EmbeddedBroker), unless Kafka is configured. It has forgotten whatever was in flight when
//!    the last process ended: those checks are recorded as lost, and what was only scheduled ahead is
//!    scheduled again.
//! 3. The sites file is applied.
//! 4. The checker, then the scheduler: the very same ones that run on a cluster.
//! 5. Verdicts are [shown](display) until a stop, which goes the way of the data: scheduler, checker,
//!    lock, database.

mod display;
mod site_table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use contract::result::CheckResult;
use runtime::broker::Broker;
use runtime::conditions::{CHECKER, KAFKA_GROUP, SCHEDULER};
use runtime::program::say;
use runtime::service::{Service, unless_stopped};
use runtime::shutdown::{Stages, on_signals_of_a_terminal};
use runtime::telemetry::{self, Condition, Endpoints};
use scheduler::upkeep::reconcile;
use sea_orm::DatabaseConnection;
use sites::command::{Apply, apply};
use store::installation::Identity;
use stream::config::KafkaConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::broker::EmbeddedBroker;
use crate::config::Config;
use crate::data_folder::FolderLock;
use crate::database::Database;
use crate::lock::{DatabaseLock, LOCK};

/// Batches of results on their way to the terminal; what it cannot keep up with is not shown.
const FEED_DEPTH: usize = 256;
/// How long the scheduler waits for the checker to read tasks.
const JOIN_LIMIT: Duration = Duration::from_secs(30);
/// What a stop may take beyond the stops of scheduler and checker.
const MARGIN: Duration = Duration::from_secs(5);

/// `up [--sites FILE]`
#[derive(Args, Clone, Debug)]
pub struct Up {
    /// Apply this sites file at the start
    #[arg(long, value_name = "FILE")]
    pub sites: Option<PathBuf>,
}

/// Runs everything until a signal, or until another webmon has the lock on the database.
pub async fn up(config: Config, data: &Path, command: &Up) -> Result<()> {
    let signals = on_signals_of_a_terminal().wrap_err("listen for signals")?;
    // First, as a second webmon up should name this folder and not its port.
    let lock = FolderLock::insist(data)?;
    let listener = telemetry::bind(&config.http).await?;
    let database = Database::open(&config, data, lock).await?;
    let stop = signals.stop.child_token();
    let running = async {
        let lock = DatabaseLock::take(&database.config).await?;
        let endpoints = Endpoints::new();
        let held = endpoints.readiness().condition(LOCK);
        let work = Work {
            config: &config,
            database: &database,
            endpoints,
            held: held.clone(),
            stop: stop.clone(),
        };
        let working = Box::pin(work.start(command, listener));
        lock.hold(held, &stop, working).await
    };
    let result = tokio::select! {
        result = running => result,
        () = signals.abort.cancelled() => return Err(eyre!("stopped at once by a second signal")),
    };
    result.and(database.close().await)
}

/// What is done while the database is locked.
struct Work<'a> {
    /// The configuration.
    config: &'a Config,
    /// The database.
    database: &'a Database,
    /// Metrics and health.
    endpoints: Arc<Endpoints>,
    /// The condition that the database is locked.
    held: Condition,
    /// Ends it.
    stop: CancellationToken,
}

impl Work<'_> {
    /// Prepares database and broker, runs everything, and leaves the schedule as the next start needs it.
    async fn start(self, command: &Up, listener: TcpListener) -> Result<()> {
        let connection = self.database.migrated().await?;
        Identity::read(&connection).await?.refuse_copy()?;
        let broker = match self.config.kafka {
            None => Some(EmbeddedBroker::start()?),
            Some(_) => None,
        };
        if broker.is_some() {
            account_for_the_past(self.config, &connection).await?;
        }
        if let Some(file) = &command.sites {
            let command = Apply {
                file: file.clone(),
                prune: false,
                dry_run: false,
            };
            apply(&connection, &command).await?;
        }
        let kafka = match (&self.config.kafka, &broker) {
            (Some(kafka), _) => kafka.clone(),
            (None, Some(broker)) => broker.config()?,
            (None, None) => return Err(eyre!("neither a configured broker nor an embedded one")),
        };
        let parts = Parts {
            config: self.config,
            database: self.database,
            kafka,
            broker: broker.as_ref(),
            endpoints: self.endpoints,
        };
        let ended = parts.run(&connection, listener, &self.stop).await;
        // Without the lock the schedule is another webmon's.
        if broker.is_some() && self.held.holds() {
            return ended.and(reconcile::rewind(&connection).await);
        }
        ended
    }
}

/// The embedded broker has forgotten what was in flight when the last process ended.
async fn account_for_the_past(config: &Config, connection: &DatabaseConnection) -> Result<()> {
    let lost = reconcile::start_over(connection, config.scheduler.retention).await?;
    if lost > 0 {
        warn!(
            lost,
            "checks were in flight when webmon last ended: recorded as missed"
        );
    }
    Ok(())
}

/// What runs in this process.
struct Parts<'a> {
    /// The configuration.
    config: &'a Config,
    /// The database.
    database: &'a Database,
    /// The broker's address.
    kafka: KafkaConfig,
    /// The broker, if it is embedded.
    broker: Option<&'a EmbeddedBroker>,
    /// Metrics and health.
    endpoints: Arc<Endpoints>,
}

impl Parts<'_> {
    /// Runs checker, scheduler, display and HTTP until `stop`, or until one of them ends. They stop one
    /// after the other, each when the one before it in the flow has ended.
    async fn run(
        &self,
        connection: &DatabaseConnection,
        listener: TcpListener,
        stop: &CancellationToken,
    ) -> Result<()> {
        for service in [SCHEDULER, CHECKER] {
            // Both are missing until both work.
            self.endpoints.readiness().condition(service).set(false);
        }
        let mut stages = Stages::new(stop);
        let (stop_checker, stop_http) = (CancellationToken::new(), CancellationToken::new());
        let (feed, shown) = mpsc::channel(FEED_DEPTH);
        let scheduling = self.service(stages.stop(), feed.clone());
        let checking = self.service(stop_checker.clone(), feed);
        stages.spawn("scheduler", self.schedule(scheduling, stop_checker));
        stages.spawn("checker", self.check(checking, stop_http.clone()));
        let serving = telemetry::serve(listener, Arc::clone(&self.endpoints), stop_http);
        stages.spawn("http", async {
            serving.await.wrap_err("serve metrics and health")
        });
        // The display ends with the last service that feeds it.
        stages.spawn(
            "watch",
            display::show(self.database.link(connection), shown),
        );
        let listen = self.config.http.listen;
        say(format_args!(
            "webmon is up: metrics at http://{listen}/metrics, Ctrl-C stops it"
        ))
        .wrap_err("write to standard output")?;
        let drain = self.config.checker.drain;
        stages.run(scheduler::DRAIN + drain + MARGIN).await
    }

    /// What a service is given that ends at `stop`, and shows its results in `feed`.
    fn service(&self, stop: CancellationToken, feed: mpsc::Sender<Vec<CheckResult>>) -> Service {
        Service {
            stop,
            endpoints: Arc::clone(&self.endpoints),
            broker: self.broker.map_or(Broker::Cluster, EmbeddedBroker::broker),
            feed: Some(feed),
            reloads: None,
        }
    }

    /// The scheduler, once the checker reads tasks. When it has ended, `then` is cancelled.
    fn schedule(
        &self,
        service: Service,
        then: CancellationToken,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        let (database, kafka) = (self.database.config.clone(), self.kafka.clone());
        let config = self.config.scheduler_config(database, kafka);
        let then = then.drop_guard();
        async move {
            let joined = service.endpoints.readiness().condition(KAFKA_GROUP);
            // A task before that would only be late.
            service
                .stop
                .run_until_cancelled(timeout(JOIN_LIMIT, joined.wait()))
                .await;
            let stop = service.stop.clone();
            let ended = unless_stopped(scheduler::run(config, service).await, &stop);
            drop(then);
            ended
        }
    }

    /// The checker. When it has ended, `then` is cancelled.
    fn check(
        &self,
        service: Service,
        then: CancellationToken,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        let (database, kafka) = (self.database.config.clone(), self.kafka.clone());
        let config = self.config.checker_config(database, kafka);
        let then = then.drop_guard();
        async move {
            let stop = service.stop.clone();
            let ended = unless_stopped(checker::run(config, service).await, &stop);
            drop(then);
            ended
        }
    }
}
