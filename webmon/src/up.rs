//! `webmon up`: everything in one process, from a sites file to verdicts on the terminal.
//!
//! 1. The [store](crate::data): the data folder is locked, `PostgreSQL` started or found, its database
//!    [locked](crate::lock), the schema brought up to date.
//! 2. The [broker](EmbeddedBroker), unless Kafka is configured. It has forgotten whatever was in flight when
//!    the last process ended: those checks are recorded as lost, and what was only scheduled ahead is
//!    scheduled again.
//! 3. The sites file is applied.
//! 4. The checker, then the scheduler: the very same ones that run on a cluster.
//! 5. Verdicts are [shown](watch) until a stop, which goes the way of the data: scheduler, checker,
//!    lock, database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use runtime::broker::Broker;
use runtime::conditions::{CHECKER, KAFKA_GROUP, SCHEDULER};
use runtime::program::say;
use runtime::service::{Service, unless_stopped};
use runtime::shutdown::{Stages, on_signals_of_a_terminal};
use runtime::telemetry::{self, Condition, Endpoints};
use scheduler::command::Apply;
use scheduler::reconcile;
use sea_orm::DatabaseConnection;
use store::installation::Identity;
use stream::config::KafkaConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::broker::EmbeddedBroker;
use crate::config::Config;
use crate::data::{DataLock, Store};
use crate::lock::{DatabaseLock, LOCK};
use crate::watch;

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
    let lock = DataLock::insist(data)?;
    let listener = telemetry::bind(&config.http).await?;
    let store = Store::open(&config, data, lock).await?;
    let stop = signals.stop.child_token();
    let running = async {
        let lock = DatabaseLock::take(&store.config).await?;
        let endpoints = Endpoints::new();
        let held = endpoints.readiness().condition(LOCK);
        let work = Work {
            config: &config,
            store: &store,
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
    result.and(store.close().await)
}

/// What is done while the database is locked.
struct Work<'a> {
    /// The configuration.
    config: &'a Config,
    /// The database.
    store: &'a Store,
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
        let database = self.store.migrated().await?;
        Identity::read(&database).await?.refuse_copy()?;
        let broker = match self.config.kafka {
            None => Some(EmbeddedBroker::start()?),
            Some(_) => None,
        };
        if broker.is_some() {
            account_for_the_past(self.config, &database).await?;
        }
        if let Some(file) = &command.sites {
            let apply = Apply {
                file: file.clone(),
                prune: false,
                dry_run: false,
            };
            scheduler::command::apply(&database, &apply).await?;
        }
        let kafka = match (&self.config.kafka, &broker) {
            (Some(kafka), _) => kafka.clone(),
            (None, Some(broker)) => broker.config()?,
            (None, None) => return Err(eyre!("neither a configured broker nor an embedded one")),
        };
        let parts = Parts {
            config: self.config,
            store: self.store,
            kafka,
            broker: broker.as_ref(),
            endpoints: self.endpoints,
        };
        let ended = parts.run(&database, listener, &self.stop).await;
        // Without the lock the schedule is another webmon's.
        if broker.is_some() && self.held.holds() {
            return ended.and(reconcile::rewind(&database).await);
        }
        ended
    }
}

/// The embedded broker has forgotten what was in flight when the last process ended.
async fn account_for_the_past(config: &Config, database: &DatabaseConnection) -> Result<()> {
    let lost = reconcile::start_over(database, config.scheduler.retention).await?;
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
    store: &'a Store,
    /// The broker's address.
    kafka: KafkaConfig,
    /// The broker, if it is embedded.
    broker: Option<&'a EmbeddedBroker>,
    /// Metrics and health.
    endpoints: Arc<Endpoints>,
}

impl Parts<'_> {
    /// Runs checker, scheduler, watch and HTTP until `stop`, or until one of them ends. They stop one
    /// after the other, each when the one before it in the flow has ended.
    async fn run(
        &self,
        database: &DatabaseConnection,
        listener: TcpListener,
        stop: &CancellationToken,
    ) -> Result<()> {
        let endpoints = &self.endpoints;
        for service in [SCHEDULER, CHECKER] {
            // Both are missing until both work.
            endpoints.readiness().condition(service).set(false);
        }
        let (feed, shown) = mpsc::channel(FEED_DEPTH);
        let mut stages = Stages::new(stop);
        let (stop_checker, stop_http) = (CancellationToken::new(), CancellationToken::new());
        let service = |stop: CancellationToken| Service {
            stop,
            endpoints: Arc::clone(endpoints),
            broker: self.broker.map_or(Broker::Cluster, EmbeddedBroker::broker),
            feed: Some(feed.clone()),
            reloads: None,
        };

        let config = self
            .config
            .scheduler_config(self.store.config.clone(), self.kafka.clone());
        let (scheduling, then) = (service(stages.stop()), stop_checker.clone().drop_guard());
        stages.spawn("scheduler", async move {
            let joined = scheduling.endpoints.readiness().condition(KAFKA_GROUP);
            // A task that nobody reads yet would only be late.
            scheduling
                .stop
                .run_until_cancelled(timeout(JOIN_LIMIT, joined.wait()))
                .await;
            let stop = scheduling.stop.clone();
            let ended = unless_stopped(scheduler::run(config, scheduling).await, &stop);
            drop(then);
            ended
        });
        let config = self
            .config
            .checker_config(self.store.config.clone(), self.kafka.clone());
        let (drain, checking, then) = (
            config.drain,
            service(stop_checker),
            stop_http.clone().drop_guard(),
        );
        stages.spawn("checker", async move {
            let stop = checking.stop.clone();
            let ended = unless_stopped(checker::run(config, checking).await, &stop);
            drop(then);
            ended
        });
        let serving = telemetry::serve(listener, Arc::clone(endpoints), stop_http);
        stages.spawn("http", async {
            serving.await.wrap_err("serve metrics and health")
        });
        // The watch ends with the last service that feeds it.
        drop(feed);
        stages.spawn("watch", watch::watch(self.store.link(database), shown));
        let listen = self.config.http.listen;
        say(format_args!(
            "webmon is up: metrics at http://{listen}/metrics, Ctrl-C stops it"
        ))
        .wrap_err("write to standard output")?;
        stages.run(scheduler::DRAIN + drain + MARGIN).await
    }
}
