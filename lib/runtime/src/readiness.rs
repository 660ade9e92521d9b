//! Readiness as it is now: what a service depends on is looked at again and again.
//!
//! What was true at the start says little an hour later. So the database and the broker are looked at every few
//! seconds, on connections that are used for nothing else, and whose own trouble holds up no work.

use std::time::Duration;

use color_eyre::eyre;
use tokio_util::sync::CancellationToken;

use crate::periodic::{Failure, Failures, Periodic, Statuses, Task};
use crate::quota::Quota;
use crate::telemetry::Readiness;

/// How often to look.
const EVERY: Duration = Duration::from_secs(5);
/// How long a look may take; then the answer is no.
pub const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// What a service depends on, and what is looked at while it runs.
pub trait Dependency {
    /// Looks once and says in its conditions what it found. Fails only where the service must end.
    fn look(&mut self) -> impl Future<Output = eyre::Result<()>> + Send;
}

/// Two dependencies, which are looked at at the same time.
impl<A: Dependency + Send, B: Dependency + Send> Dependency for (A, B) {
    async fn look(&mut self) -> eyre::Result<()> {
        let (one, other) = tokio::join!(self.0.look(), self.1.look());
        one.and(other)
    }
}

/// A watch over the dependencies of a process.
pub(crate) struct Watch<D> {
    /// All conditions of this process, for the log.
    readiness: Readiness,
    /// What is looked at.
    dependency: D,
    /// What was lacking when it was last said, without its numbers.
    said: String,
    /// How much may be said.
    quota: Quota,
}

impl<D: Dependency + Send> Watch<D> {
    /// A watch that has not looked yet.
    pub(crate) fn new(readiness: &Readiness, dependency: D) -> Self {
        Self {
            readiness: readiness.clone(),
            dependency,
            said: String::new(),
            quota: Quota::new(),
        }
    }

    /// Looks until `stop`; each change is said once. Ends early when a dependency says that the service must end.
    pub(crate) async fn keep(
        self,
        statuses: Statuses,
        stop: CancellationToken,
    ) -> eyre::Result<()> {
        // All of it was there a moment ago.
        let watch = Periodic::after_a_period(self, Failures::LoggedByTask);
        watch.run(statuses, stop).await
    }

    /// Says what is lacking, if that has changed.
    fn tell(&mut self) {
        let lacking = self.readiness.lacking().join(", ");
        // Times and counts change from one look to the next.
        let gist = lacking.replace(|char: char| char.is_ascii_digit(), "");
        if gist == self.said {
            return;
        }
        let said = self.quota.say(|left_out| {
            if lacking.is_empty() {
                tracing::info!(left_out, "ready");
            } else {
                tracing::warn!(left_out, "not ready: {lacking}");
            }
        });
        if said {
            self.said = gist;
        }
    }
}

/// A look succeeds whatever it finds.
impl<D: Dependency + Send> Task for Watch<D> {
    const NAME: &'static str = "readiness";
    const PERIOD: Duration = EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let looked = self.dependency.look().await;
        self.tell();
        looked.map_err(Failure::Lasting)
    }
}
