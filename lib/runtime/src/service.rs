//! A service and its surroundings: what it is given, what it waits for at start, how it is hosted.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use contract::result::CheckResult;
use sea_orm::DatabaseConnection;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::backlog::Backlog;
use crate::config::{DatabaseConfig, HttpConfig, KafkaConfig};
use crate::database::{self, Pool};
use crate::installation::Identity;
use crate::kafka::{self, TopicLimits};
use crate::readiness::{Conditions, Watch};
use crate::reload::{Reloads, Source};
use crate::shutdown::on_signals;
use crate::telemetry::{self, Condition, Probes};
use crate::writable;

/// How long a service waits at start for a database or a broker that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The condition that a broker answers.
pub const KAFKA: &str = "kafka";
/// The condition that a scheduler works.
pub const SCHEDULER: &str = "scheduler";
/// The condition that a checker works.
pub const CHECKER: &str = "checker";

/// What a service stands on, and is asked for again and again.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// Where the database is.
    pub database: &'a DatabaseConfig,
    /// Where Kafka is.
    pub kafka: &'a KafkaConfig,
    /// Whose database it was at the start.
    pub identity: Identity,
}

/// What a service has reached at its start.
#[derive(Debug)]
pub struct Reached<'a> {
    /// A pool on the database.
    pub database: DatabaseConnection,
    /// What to ask for again and again.
    pub ground: Ground<'a>,
    /// What the topic takes.
    pub topic: TopicLimits,
}

/// What a service is given by whoever hosts it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    /// Where it shows its metrics, and whether it is ready.
    pub probes: Arc<Probes>,
    /// In a standalone, the bound of the embedded broker.
    pub backlog: Option<Arc<Backlog>>,
    /// In a standalone, where recorded results are shown as well; what does not fit is left out.
    pub feed: Option<mpsc::Sender<Vec<CheckResult>>>,
    /// Whence its configuration is read again on SIGHUP, if it is.
    pub reloads: Option<Reloads>,
}

impl Service {
    /// Waits for `PostgreSQL` at this build's schema, of which it reads whose it is, and for Kafka with the tasks'
    /// topic. A database that is a copy is refused.
    pub async fn reach<'a>(
        &self,
        database: &'a DatabaseConfig,
        kafka: &'a KafkaConfig,
        pool: Pool,
    ) -> eyre::Result<Reached<'a>> {
        let reached = Conditions::of(self.probes.readiness());
        let connection = database::connect_patiently(database, pool, PATIENCE, &self.stop).await?;
        database::check_schema(&connection).await?;
        reached.schema.set(true);
        let identity = Identity::read(&connection).await?.refuse_copy()?;
        kafka.tell();
        writable::wait_until_writable(&connection, PATIENCE, &self.stop).await?;
        reached.database.set(true);
        kafka::wait_for_brokers(kafka, PATIENCE, &self.stop).await?;
        let (_, topic) = kafka::prepare_topic(kafka).await?;
        for shortcoming in topic.shortcomings() {
            warn!(
                kafka.topic = kafka.topic,
                "the topic is less than webmon may need: {shortcoming}"
            );
        }
        reached.kafka.set(true);
        let ground = Ground {
            database,
            kafka,
            identity,
        };
        Ok(Reached {
            database: connection,
            ground,
            topic,
        })
    }

    /// A stage of every service, from the moment at which it works: keeps what [`Self::reach`] reached
    /// true to life, and `working` true, until `stop`. Of several services in a process the first looks for
    /// all: they stand on the same, and stop together. Ends with an error when the database is another's by now.
    pub fn keep_ready(
        &self,
        ground: Ground<'_>,
        working: Condition,
        stop: CancellationToken,
    ) -> impl Future<Output = eyre::Result<()>> + Send + 'static {
        let readiness = self.probes.readiness();
        let watch = readiness
            .be_watched()
            .then(|| Watch::new(readiness, ground));
        async move {
            working.set(true);
            let kept = if let Some(watch) = watch {
                watch.keep(stop).await
            } else {
                stop.cancelled().await;
                Ok(())
            };
            working.set(false);
            Ok(kept?)
        }
    }
}

/// Runs a service as a process of its own: with signals, metrics and health, and a configuration from `source`.
pub async fn host<F>(
    http: &HttpConfig,
    source: Source,
    run: impl FnOnce(Service) -> F,
) -> eyre::Result<()>
where
    F: Future<Output = eyre::Result<()>>,
{
    let signals = on_signals().wrap_err("listen for signals")?;
    let listener = telemetry::bind(http).await?;
    let service = Service {
        stop: signals.stop.clone(),
        probes: Probes::new(),
        backlog: None,
        feed: None,
        reloads: Some(Reloads::new(signals.hang_ups.clone(), source)),
    };
    // Answers until the service has ended: while it drains it is still worth watching.
    let ended = CancellationToken::new();
    let serving = tokio::spawn(telemetry::serve(
        listener,
        Arc::clone(&service.probes),
        ended.clone(),
    ));
    let result = tokio::select! {
        result = run(service) => result,
        () = signals.abort.cancelled() => Err(eyre!("stopped at once by a second signal")),
    };
    ended.cancel();
    serving
        .await
        .wrap_err("serve metrics and health")?
        .wrap_err("serve metrics and health")?;
    unless_stopped(result, &signals.stop)
}

/// A service that was asked to stop before it had started has stopped as asked.
pub fn unless_stopped(result: eyre::Result<()>, stop: &CancellationToken) -> eyre::Result<()> {
    let stopped = |error: &eyre::Report| {
        matches!(
            error.downcast_ref(),
            Some(database::DatabaseError::Stopped { .. })
        ) || matches!(
            error.downcast_ref(),
            Some(kafka::KafkaError::Stopped { .. })
        )
    };
    match result {
        Err(error) if stop.is_cancelled() && stopped(&error) => {
            info!("{error}");
            Ok(())
        }
        result => result,
    }
}
