//! A service in its process: what it is given, how it is kept ready, how it is hosted.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use contract::result::CheckResult;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::broker::Broker;
use crate::conditions::{DATABASE, KAFKA, SCHEMA};
use crate::config::HttpConfig;
use crate::readiness::{Dependency, Watch};
use crate::reload::{Reloads, Source};
use crate::shutdown::on_signals;
use crate::telemetry::{self, Condition, Endpoints};

/// How long a service waits at start for what it depends on, such as a database that does not answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A service was asked to stop before it had started. Its text says what it was waiting for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

/// What a service is given by the process that hosts it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    /// What its HTTP endpoints show: its metrics, and whether it is ready.
    pub endpoints: Arc<Endpoints>,
    /// The broker that it works with.
    pub broker: Broker,
    /// In a standalone, where recorded results are shown as well; what does not fit is left out.
    pub feed: Option<mpsc::Sender<Vec<CheckResult>>>,
    /// Where its configuration is read again from on SIGHUP, if it is.
    pub reloads: Option<Reloads>,
}

impl Service {
    /// Names what must hold before this service is ready, before it waits for any of it. Returns the condition that
    /// it works, which has this name.
    pub fn conditions(&self, working: &'static str) -> Condition {
        let readiness = self.endpoints.readiness();
        for dependency in [DATABASE, SCHEMA, KAFKA] {
            drop(readiness.condition(dependency));
        }
        readiness.condition(working)
    }

    /// A stage of every service, from the moment at which it works: keeps what it has reached true to life, and
    /// `working` true, until `stop`. Of several services in a process the first looks for all: they depend on the
    /// same, and stop together. Ends with an error when a dependency says so.
    pub fn keep_ready(
        &self,
        dependency: impl Dependency + Send + 'static,
        working: Condition,
        stop: CancellationToken,
    ) -> impl Future<Output = eyre::Result<()>> + Send + 'static {
        let readiness = self.endpoints.readiness();
        let watch = readiness
            .be_watched()
            .then(|| Watch::new(readiness, dependency));
        let statuses = self.endpoints.tasks().clone();
        async move {
            working.set(true);
            let kept = if let Some(watch) = watch {
                watch.keep(statuses, stop).await
            } else {
                stop.cancelled().await;
                Ok(())
            };
            working.set(false);
            kept
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
        endpoints: Endpoints::new(),
        broker: Broker::Cluster,
        feed: None,
        reloads: Some(Reloads::new(signals.hang_ups.clone(), source)),
    };
    // Answers until the service has ended: while it drains it is still worth watching.
    let ended = CancellationToken::new();
    let serving = tokio::spawn(telemetry::serve(
        listener,
        Arc::clone(&service.endpoints),
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
    match result {
        Err(error) if stop.is_cancelled() && error.is::<Stopped>() => {
            info!("{error}");
            Ok(())
        }
        result => result,
    }
}
